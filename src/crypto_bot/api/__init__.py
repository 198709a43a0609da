"""The web side: a replica of the running bot, read from its journal, told over HTTP.

It holds no keys and decides nothing.
"""
