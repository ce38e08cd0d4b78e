local repr = require "nnlua.repr"
local schedules = require "nnlua.optimizers.schedules"
local shared = require "spec.support.shared"

describe("optimizers.schedules", function()
  local cases = shared.cases "units/schedule.json"
  if not cases then
    pending(shared.ABSENT)
  else
    for _, case in ipairs(cases) do
      it("gives Keras's rates in " .. case.id, function()
        local schedule = schedules[case.name](case.config)
        for i, step in ipairs(case.inputs.steps) do
          local want, got = case.expected.values[i], schedule(step)
          local bound = case.tolerance.atol + case.tolerance.rtol * math.abs(want)
          assert.is_true(math.abs(got - want) <= bound,
            ("step %d: %.9g, expected %.9g"):format(step, got, want))
        end
      end)
      it("is the same from its config in " .. case.id, function()
        local schedule = schedules[case.name](case.config)
        local again = schedules.deserialize(schedules.serialize(schedule))
        for _, step in ipairs(case.inputs.steps) do
          assert.equal(schedule(step), again(step))
        end
      end)
    end
  end

  it("starts a restarted cosine again at each period", function()
    local schedule = schedules.CosineDecayRestarts(1, 2)
    local want = {1, 0.5, 1, 0.8536, 0.5, 0.1464, 1}
    for i, rate in ipairs(want) do assert.near(rate, schedule(i - 1), 1e-4) end
  end)

  it("restarts exactly where a period ends, whatever t_mul", function()
    for _, t_mul in ipairs {1.0, 1.25, 1.5, 2.0, 3.0} do
      local schedule, at, length = schedules.CosineDecayRestarts {1, 64, t_mul = t_mul}, 0, 64
      for _ = 1, 4 do
        assert.near(1, schedule(at), 1e-5)
        at, length = at + length, length * t_mul
      end
    end
  end)

  it("cycles a polynomial", function()
    local schedule = schedules.PolynomialDecay {1, 2, 0.1, cycle = true}
    for i, rate in ipairs {1, 0.55, 0.1, 0.325, 0.1} do
      assert.near(rate, schedule(i - 1), 1e-6)
    end
  end)

  it("warms a cosine up", function()
    local schedule = schedules.CosineDecay {0.1, 4, warmup_target = 1, warmup_steps = 2}
    for i, rate in ipairs {0.1, 0.55, 1, 0.8536, 0.5, 0.1464, 0, 0} do
      assert.near(rate, schedule(i - 1), 1e-4)
    end
  end)

  it("rounds to float32", function()
    local rate = schedules.ExponentialDecay(0.1, 10, 0.5)(0)
    assert.equal(repr.float32(0.1), rate)
  end)

  it("refuses bad arguments", function()
    assert.error_matches(function() schedules.ExponentialDecay(0.1, 0, 0.5) end,
      "ExponentialDecay: decay_steps is 0, expected a number above 0")
    assert.error_matches(function() schedules.PiecewiseConstantDecay({1, 2}, {1, 2}) end,
      "PiecewiseConstantDecay: 2 boundaries need 3 values, got 2")
    assert.error_matches(function() schedules.CosineDecay {0.1, 4, alph = 1} end,
      "CosineDecay: unknown argument 'alph'; did you mean 'alpha'?", 1, true)
    assert.error_matches(function() schedules.deserialize {class_name = "CosinDecay"} end,
      "unknown class 'CosinDecay'; did you mean 'CosineDecay'?", 1, true)
  end)

  it("takes a class of the user's own", function()
    local Halves = schedules.LearningRateSchedule:extend("Halves", {args = "initial"})
    function Halves:rate(step) return self.initial / (step + 1) end
    assert.near(0.25, Halves(1)(3), 1e-9)
    assert.same({initial = 1}, Halves(1):get_config())
    assert.error_matches(function() schedules.LearningRateSchedule()(1) end, "rate%(step%)")
  end)
end)
