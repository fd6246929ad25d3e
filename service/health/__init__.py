"""Whether every part does its work, judged by effect: looks, watchers, the self-test, the lifeline, the doctor."""
