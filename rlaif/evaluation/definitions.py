"""What each figure of the report means, in one sentence; shown when a reader points at it."""

DEFINITIONS = {
    "share": "The share of replies that have the trait, as counted by code. A broken reply counts "
    "as broken and as nothing else.",
    "interval": "Between these the figure would fall 95 times of 100 if other prompts of the same "
    "kind were drawn (Wilson, one observation a prompt).",
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
    "abstained": "Comparisons without a usable answer: counted here, never trained on.",
    "tokens": "Tokens read and written by the models that were asked in this stage.",
}
