"""The strategy language: a module is read, refused in plain words if it cannot work, and made a kernel function.

The reader is the front half. It knows Python's grammar and the words of `crypto_bot.strategy`, nothing of the kernel.
It hands over a `Module`: the author's text, the edits that put the hidden context in, and what is to be kept for it.
"""
