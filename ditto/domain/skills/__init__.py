"""Skills: how often each model is right at each kind of question, learned from answers that nobody has judged.

`observations.observed` says what one verdict teaches, `fitting.fit` what many teach together, and `sheet.Skills.sheet`
what one job needs of it.
"""
