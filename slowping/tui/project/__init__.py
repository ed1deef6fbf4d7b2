"""What can be said of projects: what goes with one, and what it has used of its quota.

Everything here decides and words, and asks nobody; the screen is `screens/project.py`.
"""
