"""Benchmarks that anybody can repeat. They start our services as an operator would and talk to them from outside.

They measure; nothing in the product may import them.
"""
