-- Texts of nn.optimizers.schedules for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local rate = "print(nn.optimizers.schedules."

return {
  intro = [[Learning rates as functions of the step: the number of completed optimizer calls, 0 at
the first update. A schedule goes where an optimizer's learning_rate goes.]],
  source = "Keras 3.15.1, keras.optimizers.schedules.%s",
  shapes = "",
  returns = "A schedule: called with a step it gives a number, rounded to float32.",
  errors = "decay_steps of 0 or less; an argument that is no number.",
  arguments = {
    initial_learning_rate = "The rate at the start.", decay_steps = "Steps of one decay, above 0.",
    decay_rate = "What the rate decays by in decay_steps.", staircase = "Decay in whole steps.",
    alpha = "The smallest rate as a fraction of the first.", step = "Completed steps, from 0.",
    config = "What `serialize` gave.", schedule = "A schedule.", value = "Any value.",
  },
  entries = {
    LearningRateSchedule = {"The base; own schedules have `rate(self, step)`.", example = [[
local Halving = nn.optimizers.schedules.LearningRateSchedule:extend("Halving", {args = "first"})
function Halving:rate(step) return self.first / 2 ^ step end
print(Halving{1}(3)) --> 0.125]]},
    ExponentialDecay = {"rate * decay_rate^(step / decay_steps).",
      example = rate .. "ExponentialDecay{1, 2, 0.25}(1)) --> 0.5"},
    InverseTimeDecay = {"rate / (1 + decay_rate * step / decay_steps).",
      example = rate .. "InverseTimeDecay{1, 2, 2}(1)) --> 0.5"},
    PiecewiseConstantDecay = {"values[i] up to and with boundaries[i], the last one after them.",
      args = {boundaries = "Steps, ascending.", values = "Rates, one more than boundaries."},
      errors = "values has not one number more than boundaries.",
      example = rate .. "PiecewiseConstantDecay{{10}, {1, 0.5}}(11)) --> 0.5"},
    PolynomialDecay = {"(rate - end) * (1 - step / decay_steps)^power + end.",
      args = {end_learning_rate = "The rate at the end.", power = "The exponent.",
        cycle = "Begin again, longer each time, after decay_steps."},
      example = rate .. "PolynomialDecay{1, 2, 0}(1)) --> 0.5"},
    CosineDecay = {"rate * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha).",
      args = {warmup_target = "The rate that a straight line climbs to first; nil: no warm-up.",
        warmup_steps = "Steps of that climb."}, paper = "Loshchilov and Hutter 2017",
      example = rate .. "CosineDecay{1, 2}(1)) --> 0.5"},
    CosineDecayRestarts = {"Cosine decays that begin again, each t_mul times as long as the last.",
      args = {first_decay_steps = "Steps of the first decay.", t_mul = "How much longer each is.",
        m_mul = "Factor of each start's rate."}, paper = "Loshchilov and Hutter 2017",
      example = rate .. "CosineDecayRestarts{1, 2}(1)) --> 0.5"},
    serialize = {"A schedule as data: {module=, class_name=, config=}.", returns = "A table.",
      example = [[
local s = nn.optimizers.schedules.serialize(nn.optimizers.schedules.CosineDecay{1, 2})
print(s.class_name) --> CosineDecay]]},
    deserialize = {"The schedule from what `serialize` gave.", returns = "A schedule.", example = [[
local schedules = nn.optimizers.schedules
local data = schedules.serialize(schedules.CosineDecay{1, 2})
print(schedules.deserialize(data)(1)) --> 0.5]]},
    is = {"Whether a value is a schedule.", returns = "A boolean.",
      example = "print(nn.optimizers.schedules.is(0.1)) --> false"},
    names = {"The names of the classes, sorted.", returns = "A list.",
      example = "print(nn.optimizers.schedules.names()[1]) --> CosineDecay"},
  },
  methods = {LearningRateSchedule = {
    rate = "The rate at a step; own schedules write it.",
    check_positive = {"Raises unless the field is a number above 0.", args = {name = "The field."}},
    check_numbers = {"Raises unless each field is a number.", args = {["..."] = "The fields."}},
  }},
}
