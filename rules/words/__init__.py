"""What people read of an alert: titles, lines, advice. Chinese in the code, English from the catalogue."""
