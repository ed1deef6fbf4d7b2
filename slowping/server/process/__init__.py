"""What a server does as a process, besides answering: begin, go on, and end.

`first_start` sets up what is missing, `chores` go on beside the requests, `stopping` hears that it
is to end. `slowping/server/app.py` and `slowping/server/serving.py` call them.
"""
