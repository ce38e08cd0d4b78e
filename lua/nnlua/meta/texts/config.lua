-- Texts of nn.config for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

return {
  intro = "Settings of the runtime, for all models of the program.",
  source = "nnlua",
  errors = "A value that is none of those named.",
  arguments = {n = "A whole number.", name = "\"auto\", \"native\" (same bits everywhere) or "
    .. "\"openblas\"."},
  entries = {
    set_random_seed = {"Makes everything random that follows repeatable.", source = "Keras 3.15.1",
      example = [[
nn.set_random_seed(7)
local a = nn.random.uniform{{1}}
nn.set_random_seed(7)
print(nn.random.uniform{{1}}:item() == a:item()) --> true]]},
    version = {"The library's version.", example = "print(nn.version:match \"^%d+%.\") --> 0."},
    epsilon = {"The small number of formulas, 1e-7.", returns = "A number.",
      source = "Keras 3.15.1", example = "print(nn.config.epsilon()) --> 1e-07"},
    floatx = {"The type that computes.", returns = "\"float32\".", source = "Keras 3.15.1",
      example = "print(nn.config.floatx()) --> float32"},
    image_data_format = {"Where channels stand.", returns = "\"channels_last\".",
      source = "Keras 3.15.1", example = "print(nn.config.image_data_format()) --> channels_last"},
    get_num_threads = {"Threads that products and long arrays are split over.",
    returns = "A number.",
      example = "print(nn.config.get_num_threads() >= 1) --> true"},
    set_num_threads = {"Threads to use, 0 for all; results do not depend on it.",
      example = "nn.config.set_num_threads(0)"},
    set_gemm_backend = {"Who computes large matrix products.",
      example = 'nn.config.set_gemm_backend "auto"'},
  },
}
