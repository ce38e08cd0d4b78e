-- Texts of nn.constraints for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local registry = dofile "lua/nnlua/meta/texts/registry.lua"

return {
  intro = [[What weights are projected on after each step. A constraint is called with a tensor and
gives one of the same shape.]],
  source = "Keras 3.15.1, keras.constraints.%s",
  shapes = "Called with a tensor; gives one of the same shape.",
  returns = "A constraint.",
  errors = "An axis that the weight does not have.",
  arguments = {axis = "Axes of a norm, from 1: 1 for the columns of a Dense kernel, {1, 2, 3} for "
    .. "the filters of a Conv2D kernel.", max_value = "Largest norm.",
    min_value = "Smallest norm."},
  entries = registry("constraints", "non_neg", "NonNeg", {
    Constraint = {"The base of all constraints; own ones have `call(self, w)`.",
      example = "print(nn.constraints.Constraint.class_name) --> Constraint"},
    MaxNorm = {"w * clip(norm, 0, max_value) / (1e-7 + norm).", paper = "Srivastava et al. 2014",
      example = "print(nn.constraints.MaxNorm{1}(nn.tensor{{3}, {4}})) --> [[0.6] [0.8]]"},
    NonNeg = {"max(w, 0).", example = "print(nn.constraints.NonNeg{}(nn.tensor{-1, 2})) --> "
      .. "[0. 2.]"},
    UnitNorm = {"w / (1e-7 + norm).",
      example = "print(nn.constraints.UnitNorm{}(nn.tensor{{3}, {4}})) --> [[0.6] [0.8]]"},
    MinMaxNorm = {"w * (rate * clip(norm, min, max) + (1 - rate) * norm) / (1e-7 + norm).",
      args = {rate = "From 0 to 1: how far the norm moves; 1 all the way."},
      example = "print(nn.constraints.MinMaxNorm{0, 1}(nn.tensor{{3}, {4}})) --> [[0.6] [0.8]]"},
  }),
  internal = {Constraint = ""},
  methods = {Constraint = {
    call = {"What calling the object does; own ones write it.", signature = "(w)"},
  }},
}
