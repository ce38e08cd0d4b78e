-- A small regression without a random number, and weights to begin it with.

local nn = require "nnlua"

local waves = {}

--- x of three numbers a row, y of one that follows from them.
function waves.data(rows)
  local x, y = {}, {}
  for i = 1, rows or 40 do
    x[i] = {math.sin(i), math.cos(i * 1.7), math.sin(i * 0.3)}
    y[i] = {x[i][1] * 2 - x[i][2] + 0.5 * x[i][3] * x[i][1]}
  end
  return nn.tensor(x), nn.tensor(y)
end

--- Numbers within -0.5 .. 0.5; others for another k.
function waves.start(shape, k)
  local n, list = 1, {}
  for _, d in ipairs(shape) do n = n * d end
  for i = 1, n do list[i] = math.sin(i * k) * 0.5 end
  return nn.tensor(list):reshape(shape)
end

return waves
