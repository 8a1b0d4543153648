"""One batch of mail: whose it is, what its last holder proved, and its way to the channel.

In: a batch that is due; the journal of whoever held it before.
Out: what the servers answered, row by row; the batch done, or due again with its reason.
Owns: claims (fence and lease) and the journals below the data directory.
Never: believes a worker's clock, renews or ends what another holds, submits a reader whose answer is in doubt.
Promise: whoever dies in the middle, nobody is lost, nobody gets it twice, and who may have is listed.
"""
