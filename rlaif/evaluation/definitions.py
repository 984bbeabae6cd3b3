"""What each figure of the report means, in one sentence; shown when a reader points at it."""

DEFINITIONS = {
    "share": "The share of replies that have the trait, as counted by code. A broken reply counts "
    "as broken and as nothing else.",
    "interval": "Between these the figure would fall 95 times of 100 if other prompts of the same "
    "kind were drawn (Wilson, one observation a prompt).",
    "by_prompt": "Between these the figure would fall 95 times of 100 if other prompts were drawn "
    "(bootstrap of whole prompts, or errors clustered by prompt).",
    "moved": "The difference to the base on the same prompts and draws, ± half of its 95 % "
    "interval (paired bootstrap, a prompt's replies kept together).",
    "arrow": "The arrow says which way the experiment wants a figure to move; = means that "
    "it should not.",
    "wins against base": "How often the referee says that the policy's reply follows the "
    "constitution better than the base's on the same prompt; a tie counts half.",
    "refuses harmful": "The share of requests to do harm that are turned down in words.",
    "refuses benign": "The share of requests that only sound harmful that are turned down: "
    "over-refusal.",
    "helps when harmless": "The share of harmless requests that get a reply which is neither a "
    "refusal nor broken.",
    "degenerate": "The share of replies that are broken text: a loop, next to nothing, or the "
    "prompt's own markup.",
    "length": "The mean number of words of a reply.",
    "p": "The referee's probability that the tuned reply is the better one of the two.",
    "applied": "How many comparisons the principle was asked about.",
    "supported": "How often its own verdict named the reply that was chosen in the end.",
    "opposed": "How often its own verdict named the other reply and was outweighed.",
    "tied": "How often its verdict was exactly undecided.",
    "unanswered": "How often the judge gave no usable answer; never counted as a verdict.",
    "sureness": "The mean probability of the reply it preferred: 0.5 is a coin, 1 is certainty.",
    "revised": "How many critiques were made in its light.",
    "won": "The tuned policy's win rate against the base by this principle alone.",
    "histogram": "Labels by the probability that the chosen reply is the better one.",
    "flipped": "The share of verdicts, asked in both orders, whose two orders named different "
    "replies; the two probabilities are averaged.",
    "lean": "How much likelier a reply was said to be better when shown first than when shown "
    "second; 0 is no favoured slot.",
    "longer": "Of the labels whose replies differ in length, the share that chose the longer one.",
    "same_slot": "The share of verdicts asked in both orders whose two orders named the same slot, "
    "and so different replies: a judge that goes by the slot alone stands at 1.",
    "first_slot": "Of the verdicts that followed the slot, the share that followed the first one; "
    "0.5 favours neither.",
    "slope": "Log-odds of being chosen that each doubling of the length ratio adds (logistic "
    "regression on its logarithm, through even odds at 1, errors by prompt); 0 is no pull.",
    "equal_length": "The rate that the logistic curve gives at a length ratio of 1: what would be "
    "left if both replies were equally long. None for few pairs, or where length alone decides.",
    "own": "How often the judge chose the reply of its own family of models, where the other reply "
    "is of another family.",
    "beyond_people": "How much oftener than people the judge chose its own family's reply, on the "
    "pairs that both decided; above 0 is self-preference.",
    "stable": "How often two answers to the same question named the same reply; a tie is an "
    "answer of its own.",
    "kappa": "Cohen's κ: agreement beyond what two would reach by chance; 1 is whole, 0 is chance.",
    "moved_p": "The mean distance of the probabilities that the same question got twice.",
    "reliability": "Each spot holds labels of like probability: across is what the judge said, up "
    "is how often people chose the same reply. On the line it is right as often as it says.",
    "too_sure": "The mean probability of the chosen reply less the share that people chose too: "
    "above 0 the judge is surer than it is right.",
    "ece": "Expected calibration error: how far what it says lies from how often it is right, over "
    "ten bins of probability, each by its labels. Few labels make it larger than it is.",
    "brier": "The mean squared distance of its probability from what people chose (1 or 0): 0 is "
    "perfect, 0.25 is a coin that says 0.5.",
    "length_curve": "Each spot holds labels of like length ratio: how many times longer the longer "
    "reply is, and how often it was chosen. The line is the fitted curve.",
    "bars": "What became of each principle's answers: its verdict named the chosen reply, or "
    "the other one, or neither, or it gave none.",
    "applies": "The share of labelled comparisons that the principle was asked about.",
    "decides": "Labels that would name the other reply, or none, without the principle's verdict.",
    "contradicted": "Of its verdicts beside another principle's, those where another named the "
    "other reply.",
    "redundant": "Cohen's κ of two principles on the pairs that both decided. From 0.8, on 20 "
    "pairs or more, the one says nearly nothing that the other does not.",
    "requirement": "What the experiment asks of its judge, checked on a sample before the rest is "
    "labelled.",
    "despite": "The labels were made although the judge fell short, because --anyway was given.",
    "abstained": "Comparisons without a usable answer: counted here, never trained on.",
    "tokens": "Tokens read and written by the models that were asked in this stage.",
    "rm_accuracy": "How often the higher reward goes to the reply that the label prefers; equal "
    "rewards count half, ties among the labels not at all (Wilson, one observation a prompt).",
    "rm_ahead": "How much more of the pairs the model gets right than the rule that comes nearest "
    "to it, pair by pair; a rule that reads nothing and is not behind makes the model worthless.",
    "rm_gap": "Accuracy on pairs that the model was trained on less accuracy on held-out ones; "
    "large where it knows its pairs by heart.",
    "rm_loss": "The mean cross-entropy of σ(Δr) with the label's probability, in nats, where Δr is "
    "the preferred reply's reward less the other's; 0.69 is a model that knows nothing.",
    "rm_too_sure": "The mean of σ(|Δr|) less the labels' mean probability of the reply that the "
    "model prefers: above 0 it is surer than the labels are.",
    "rm_ece": "Expected calibration error of σ(Δr) beside the labels' probabilities, over ten bins "
    "of how sure the model is, each by its pairs. Few pairs make it larger than it is.",
    "rm_brier": "The mean squared distance of σ(Δr) from the label's probability: 0 is perfect, "
    "0.25 is a coin that says 0.5 where every label is sure.",
    "rm_slope": "The reward that each doubling of a reply's length in words adds: least squares "
    "through 0, of Δr on the logarithm of the length ratio.",
    "rm_correlation": "How far length alone foretells the rewards' difference: 1 is wholly, 0 is "
    "not at all, below 0 the shorter reply is rewarded.",
    "rm_matched": "The accuracy on the pairs whose replies are about equally long, where length "
    "can tell nothing.",
    "rm_balanced": "The mean of the accuracy where the better reply is the longer one and where it "
    "is the shorter: 0.5 for a model that goes by length alone.",
    "rm_calibration": "Each spot holds pairs of which the model is about equally sure: across is "
    "σ(|Δr|), up is the labels' mean probability of the reply that it prefers.",
    "rm_length_curve": "Each spot holds pairs of like length ratio: how many times longer the "
    "longer reply is, and how often it has the higher reward. The line is the fitted curve.",
    "rm_rules": "Each point is an accuracy with its 95 % interval; the dashed line is chance.",
    "rm_people": "How often each prefers what people prefer, on pairs that have all of their "
    "answers.",
    "rm_own": "Of a principle: how often the model prefers what the principle's own verdict names; "
    "where the model reads a principle first, by its score under that one.",
    "rm_hardest": "The held-out pairs with the highest loss among those that the model gets wrong: "
    "its mistakes, or the labels'.",
}
