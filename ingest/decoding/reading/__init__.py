"""What values mean, whoever sends them: names, words, units, numbers, times, sentinels. No format's own rules come in."""
