"""An approved edition on its way to each reader.

In: approved editions and the audience of their newsletter.
Out: deliveries and their outcomes.
Owns: Send, Batch, Delivery.
Never: chooses articles, renders MJML.
Promise: at most one submission per delivery, unless its outcome is unknown.
"""
