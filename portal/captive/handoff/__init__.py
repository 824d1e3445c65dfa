"""How each product sends a resident to the portal and takes one back: a module a product, values in, values out.

`protocol` has the values, `methods` the table. Everything in a redirect is hostile; a log-in address is only ever
built from the registered NAS's own.
"""
