-- Texts of nn.random for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local function sized(code) return ("print(nn.random.%s.size) --> 6"):format(code) end

return {
  intro = [[Random tensors from a counter-based generator (Philox): the same seed gives the same
numbers everywhere; without one, calls follow nn.set_random_seed.]],
  source = "Keras 3.15.1, keras.random.%s; generator: Salmon et al. 2011",
  shapes = "A tensor of `shape`.",
  returns = "A tensor.",
  errors = "Sizes below 0; parameters out of range.",
  arguments = {
    mean = "Mean of the numbers.", stddev = "Standard deviation, 0 or more.",
    minval = "Lower bound, "
      .. "included.", maxval = "Upper bound, left out.", alpha = "Above 0; number or tensor.",
    beta = "Above 0; number or tensor.", counts = "Trials, 0 or more.",
    probabilities = "Of success, 0 to 1.", logits = "(N, C): unnormalized log probabilities.",
    num_samples = "Draws a row.", inputs = "A tensor.", rate = "Share of zeros, 0 to 1.",
    noise_shape = "Shape of the mask.", seed = "An integer or a SeedGenerator; nil: the next one.",
  },
  entries = {
    uniform = {"Evenly distributed numbers.", example = sized "uniform{{2, 3}, 0, 1, seed = 1}"},
    normal = {"Normally distributed numbers.", example = sized "normal{{2, 3}, seed = 1}"},
    truncated_normal = {"Normally distributed numbers within two standard deviations.",
      example = sized "truncated_normal{{2, 3}, seed = 1}"},
    randint = {"Evenly distributed whole numbers.",
    example = sized "randint{{2, 3}, 0, 9, seed = 1}"},
    gamma = {"Gamma distributed numbers of scale 1.", example = sized "gamma{{2, 3}, 2, seed = 1}"},
    beta = {"Beta distributed numbers.", example = sized "beta{{2, 3}, 1, 1, seed = 1}"},
    binomial = {"Successes in `counts` trials.",
    example = sized "binomial{{2, 3}, 4, 0.5, seed = 1}"},
    categorical = {"Class ids drawn with the rows' probabilities.",
    shapes = "(N, C) to (N, samples).",
      example = "print(nn.random.categorical{nn.zeros{2, 4}, 3, seed = 1}.size) --> 6"},
    shuffle = {"The slices along the axis in a random order.", shapes = "Those of x.",
      example = "print(nn.random.shuffle{nn.zeros{2, 3}, seed = 1}.size) --> 6"},
    dropout = {"Elements set to 0 with probability rate, others divided by 1 - rate.",
      shapes = "Those of inputs.",
      example = "print(nn.random.dropout{nn.ones{2, 3}, 0.5, seed = 1}.size) --> 6"},
    SeedGenerator = {"A sequence of seeds: each use takes the next.", returns = "A generator.",
      shapes = "", example = [[
local seeds = nn.random.SeedGenerator{1}
local a, b = nn.random.uniform{{9}, seed = seeds}, nn.random.uniform{{9}, seed = seeds}
print((a - b):abs():max():item() > 0) --> true]]},
  },
}
