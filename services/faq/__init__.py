"""FAQ matching: which known question does a posted one repeat?"""
