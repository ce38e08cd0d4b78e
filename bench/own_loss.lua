-- Parts written in Lua against the built-in ones: microseconds a step.
--
--   nnlua bench/own_loss.lua [steps]

local nn = require "nnlua"
local core = require "nnlua.core"

local ops = nn.ops
local steps = tonumber(arg[1]) or 2000
local batch, rows = 32, 32 * 250

local function mse(y_true, y_pred) return ops.mean(ops.square(y_pred - y_true), {axis = -1}) end

local Adam = nn.optimizers.Optimizer:extend("OwnAdam", {args = "learning_rate=0.001"})

function Adam:build(variables)
  Adam.super.build(self, variables)
  self.m, self.v = self:add_optimizer_variables(variables, {"momentum", "velocity"})
end

function Adam:update_step(gradient, variable, rate)
  local i, t = self.positions[variable], self.iterations + 1
  local m, v = self.m[i], self.v[i]
  local scale = rate * (1 - 0.999 ^ t) ^ 0.5 / (1 - 0.9 ^ t)
  m:assign_add((gradient - m.tensor) * 0.1)
  v:assign_add((ops.square(gradient) - v.tensor) * 0.001)
  variable:assign_sub(m.tensor * scale / (ops.sqrt(v.tensor) + 1e-7))
end

local x = nn.random.normal {{rows, 64}, seed = 1}
local y = nn.random.normal {{rows, 1}, seed = 2}

local function trainer(loss, optimizer)
  nn.set_random_seed(1)
  local model = nn.Sequential{nn.layers.Dense{128, activation = "relu", input_shape = {64}},
    nn.layers.Dense(1)}
  model:compile{optimizer = optimizer, loss = loss}
  model:fit{x, y, epochs = 1, batch_size = batch, verbose = 0}
  return function()
    local begin = core.sys.clock()
    local h = model:fit{x, y, epochs = steps * batch // rows, batch_size = batch, verbose = 0}
    return (core.sys.clock() - begin) / steps * 1e6, h.history.loss[#h.history.loss]
  end
end

local cases = {
  {"built in", trainer("mse", "adam")},
  {"own loss", trainer(mse, "adam")},
  {"own optimizer", trainer("mse", Adam())},
}

-- The best of five turns each, in turns: other work on the machine counts for all alike.
local best, loss = {}, {}
for _ = 1, 5 do
  for i, case in ipairs(cases) do
    local us, value = case[2]()
    best[i], loss[i] = math.min(best[i] or us, us), value
  end
end
for i, case in ipairs(cases) do
  print(("%-14s %8.2f us a step  %5.2f times  loss %.6f"):format(case[1], best[i],
    best[i] / best[1], loss[i]))
end
