"""How an alert is put into words. Each rule carries its own title, lines and advice; here is what they are made of
(`fact`, `advice`), what rules of several rooms share, and how all is put together (`explain`). Chinese in the code,
English from the catalogue.
"""
