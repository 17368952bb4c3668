"""Charts: geometry and words, computed here and drawn by templates/components/charts.html.

Thin lines from zero, labels beside what they name, and behind each chart the table that it was made from.
"""
