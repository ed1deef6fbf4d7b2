"""What is known of API keys: how they stand, what ends with them, what takes their place.

The screen is `screens/api_key.py`. `rights.py` asks what the key in use may do; all else decides
and words.
"""
