"""The part's outline in each photo: a stored fact, found once for each photo and method.

`method` says how outlines are found on this host, `stored` keeps them, `finding` has the missing ones found
by children: the learned cut-out (`acr3d.cutout`) and `extraction`, which puts both methods together.
"""
