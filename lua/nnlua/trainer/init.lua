-- The training surface of models: compile, fit, evaluate, predict and their kin.

local args = require "nnlua.args"

local trainer = {}

local function method(signature, run)
  return function(self, ...) return run(self, (args.collect(signature(), ...))) end
end

local function from(module, signature, name)
  return method(function() return require(module)[signature] end, function(self, a)
    return require(module)[name](self, a)
  end)
end

--- Adds the methods to the class Model.
function trainer.mix_into(Model)
  local evaluate = "nnlua.trainer.evaluate"
  Model.compile = from("nnlua.trainer.compile", "signature", "run")
  Model.fit = from("nnlua.trainer.fit", "signature", "fit")
  Model.evaluate = from(evaluate, "signature", "evaluate")
  Model.predict = from(evaluate, "predict_signature", "predict")
  Model.predict_classes = from(evaluate, "predict_signature", "predict_classes")
  Model.train_on_batch = from(evaluate, "train_on_batch_signature", "train_on_batch")
  Model.test_on_batch = from(evaluate, "test_on_batch_signature", "test_on_batch")

  function Model:predict_on_batch(x) return require(evaluate).predict_on_batch(self, x) end

  -- The default steps stand for the compiled plans; a class that overrides one runs it for each
  -- batch.
  function Model.train_step() end
  function Model.test_step() end

  --- Sets all metrics back to their start.
  function Model:reset_metrics() require("nnlua.trainer.loop").reset_metrics(self) end

  -- As in Keras: the trackers, not the keys of the logs.
  Model.getters.metrics_names = function(self)
    local names = {"loss"}
    if self.resolved and #self.resolved.metrics > 0 then names[2] = "compile_metrics" end
    return names
  end

  Model.getters.metrics = function(self)
    local list, r = {self.loss_tracker}, self.resolved
    for _, t in ipairs(r and r.trackers or {}) do list[#list + 1] = t.metric end
    for _, m in ipairs(r and r.metrics or {}) do list[#list + 1] = m.metric end
    return list
  end

  Model.getters.compiled = function(self) return self.compiled_with ~= nil end
  Model.getters.loss = function(self) return self.compiled_with and self.compiled_with.loss end

  -- Draws of shuffling and dropout are addressed by this seed and the count of steps.
  Model.getters.seed = function(self)
    local n = require("nnlua.seed").next()
    rawset(self, "seed", n)
    return n
  end

  --- "up" or "down" for a compiled metric of that name, nil when it has no direction.
  function Model:metric_direction(name)
    for _, m in ipairs(self.resolved and self.resolved.metrics or {}) do
      if m.key == name then return m.metric.direction end
    end
  end

  --- The loss of predictions as training counts it: compiled losses and penalties of weights.
  function Model:compute_loss(a)
    return (require("nnlua.trainer.step").loss(self, a.y, a.y_pred, a.sample_weight, {}))
  end
end

return trainer
