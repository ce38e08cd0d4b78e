-- Texts of nn.regularizers for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local registry = dofile "lua/nnlua/meta/texts/registry.lua"

return {
  intro = [[Penalties of weights that training adds to the loss. A regularizer is called with a
tensor and gives a scalar.]],
  source = "Keras 3.15.1, keras.regularizers.%s",
  shapes = "Called with a tensor of any shape; gives a scalar.",
  returns = "A regularizer.",
  errors = "A factor that is negative or not finite.",
  arguments = {l1 = "Factor of the sum of |w|, 0 or more.",
  l2 = "Factor of the sum of w^2, 0 or more."},
  entries = registry("regularizers", "l2", "L2", {
    Regularizer = {"The base of all regularizers; own ones have `call(self, w)`.",
      example = "print(nn.regularizers.Regularizer.class_name) --> Regularizer"},
    L1 = {"l1 * sum(|w|).", example = "print(nn.regularizers.L1{0.5}(nn.tensor{1, -3})) --> 2.0"},
    L2 = {"l2 * sum(w^2).", example = "print(nn.regularizers.L2{0.5}(nn.tensor{1, -3})) --> 5.0"},
    L1L2 = {"l1 * sum(|w|) + l2 * sum(w^2).",
      example = "print(nn.regularizers.L1L2{l1 = 1, l2 = 0.5}(nn.tensor{1, -3})) --> 9.0"},
    OrthogonalRegularizer = {[[Half the mean |cosine| between all pairs of rows (or columns),
counted twice, times factor.]], args = {factor = "Size of the penalty.",
        mode = "\"rows\" or \"columns\"."},
      shapes = "A tensor of two axes; gives a scalar.",
      example = [[local r = nn.regularizers.OrthogonalRegularizer{factor = 1}
print(r(nn.tensor{{1, 0}, {0, 1}})) --> 0.0]]},
  }),
  internal = {Regularizer = "check_number"},
  methods = {Regularizer = {
    call = {"What calling the object does; own ones write it.", signature = "(w)"},
  }},
}
