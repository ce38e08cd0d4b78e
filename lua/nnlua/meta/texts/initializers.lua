-- Texts of nn.initializers for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local registry = dofile "lua/nnlua/meta/texts/registry.lua"

local fans = "fan_in is the product of the kernel's dimensions but the last, fan_out "
  .. "the last times "
  .. "the receptive field."

local function family(text, paper, name, printed)
  return {text .. " " .. fans, paper = paper,
    example = ("print(nn.initializers.%s{seed = 1}({4, 2}):max():item() < %s) --> "
      .. "true"):format(name,
      printed)}
end

return {
  intro = [[What weights hold before training. An initializer is called with (shape, dtype) and
gives a tensor; the same object gives the same numbers for the same shape.]],
  source = "Keras 3.15.1, keras.initializers.%s",
  shapes = "Called with a list of sizes; gives a tensor of that shape.",
  returns = "An initializer.",
  errors = "An argument out of its range; a shape that the rule has no meaning for.",
  arguments = {
    seed = "An integer; nil draws one from nn.set_random_seed's sequence.",
    input_axes = "Axes whose sizes make fan_in; nil: by position.",
    output_axes = "Axes whose sizes make fan_out; nil: by position.",
    mean = "Mean of the numbers.", stddev = "Standard deviation of the numbers, 0 or more.",
    minval = "Lower bound, included.", maxval = "Upper bound, left out.", gain = "A factor.",
  },
  entries = registry("initializers", "glorot_uniform", "Zeros", {
    Initializer = {"The base of all initializers; own ones have `call(self, shape, dtype)`.",
      example = "print(nn.initializers.Initializer.class_name) --> Initializer"},
    Zeros = {"All elements 0.", example = "print(nn.initializers.Zeros{}({2})) --> [0. 0.]"},
    Ones = {"All elements 1.", example = "print(nn.initializers.Ones{}({2})) --> [1. 1.]"},
    Constant = {"All elements one value.", args = {value = "The value."},
      example = "print(nn.initializers.Constant{3}({2})) --> [3. 3.]"},
    Identity = {"gain on the diagonal, else 0.", shapes = "Two axes alone.",
      example = "print(nn.initializers.Identity{}({2, 2})) --> [[1. 0.] [0. 1.]]"},
    RandomNormal = {"Normally distributed numbers.",
      example = "print(nn.initializers.RandomNormal{seed = 1}({3, 2}).size) --> 6"},
    TruncatedNormal = {[[Normally distributed numbers, drawn again outside two standard
deviations of the mean.]],
      example = [[local w = nn.initializers.TruncatedNormal{stddev = 1, seed = 1}({1000})
print(w:max():item() <= 2) --> true]]},
    RandomUniform = {"Evenly distributed numbers.",
      example = [[local w = nn.initializers.RandomUniform{0, 1, seed = 1}({1000})
print(w:min():item() >= 0 and w:max():item() < 1) --> true]]},
    VarianceScaling = {[[Numbers of variance scale / n, n being fan_in, fan_out or their mean. ]]
      .. fans, args = {scale = "Above 0.", mode = "\"fan_in\", \"fan_out\" or \"fan_avg\".",
        distribution = "\"truncated_normal\", \"untruncated_normal\" or \"uniform\"."},
      example = [[
local w = nn.initializers.VarianceScaling{distribution = "uniform", seed = 1}({3, 9})
print(w:max():item() <= 1) --> true]]},
    GlorotUniform = family("Evenly distributed up to sqrt(6 / (fan_in + fan_out)).",
      "Glorot and Bengio 2010", "GlorotUniform", "1.01"),
    GlorotNormal = family("Truncated normal, standard deviation sqrt(2 / (fan_in + fan_out)).",
      "Glorot and Bengio 2010", "GlorotNormal", "1.4"),
    HeUniform = family("Evenly distributed up to sqrt(6 / fan_in).", "He et al. 2015", "HeUniform",
      "1.23"),
    HeNormal = family("Truncated normal, standard deviation sqrt(2 / fan_in).", "He et al. 2015",
      "HeNormal", "1.7"),
    LecunUniform = family("Evenly distributed up to sqrt(3 / fan_in).", "LeCun et al. 1998",
      "LecunUniform", "0.87"),
    LecunNormal = family("Truncated normal, standard deviation sqrt(1 / fan_in).",
      "LeCun et al. 1998", "LecunNormal", "1.2"),
    Orthogonal = {"Orthonormal rows or columns: the Q of a normal matrix, its signs fixed by R.",
      shapes = "Two axes or more; all but the last count as rows.", paper = "Saxe et al. 2014",
      example = [[local q = nn.initializers.Orthogonal{seed = 1}({3, 3})
local p = nn.ops.matmul(q, q:transpose())
print((p - nn.eye(3)):abs():max():item() < 1e-5) --> true]]},
    STFT = {"Kernels of a short-time Fourier transform.", shapes = "(frame, 1, frequencies).",
      args = {side = "\"real\" or \"imag\".", window = "\"hann\", \"hamming\" or nil.",
        scaling = "\"density\", \"spectrum\" or nil.", periodic = "A periodic window."},
      example = "print(nn.initializers.STFT{}({8, 1, 5}).ndim) --> 3"},
  }),
  internal = {Initializer = "draw take_seed"},
  methods = {Initializer = {
    call = {"What calling the object does; own ones write it.", signature = "(shape, dtype)"},
  }},
}
