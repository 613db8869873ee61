"""Is the merged answer right more often than its models, and is the confidence true? On recorded answers.

`python -m tests.benchmarks.quality --data FOLDER [--json FILE] [--quick] [--pictures FOLDER]`. The whole path is
measured: raw replies in, the verdict of `ditto.domain.merging.merge` out, the request made as a user would make it.

Protocol. A draw is a panel of models and a split of the questions in two halves, both by a fixed seed. One half (at
most 300 questions, unlabelled) is history, the other is scored. A question without a readable answer is wrong with
confidence 0; a confidence of null is scored as .5, and counted. Figures are over the pooled questions of all draws.
"""
