"""How each kind of NAS hands a resident to the portal, and takes them back."""
