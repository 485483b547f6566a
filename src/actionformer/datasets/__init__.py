"""Published data sets, as their authors lay them out, turned into annotations and features: one file a data set."""
