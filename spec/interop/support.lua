-- What both halves of the exchange share: data that Python can make too, and comparing.

local nn = require "nnlua"
local core = require "nnlua.core"
local files = require "spec.support.files"

local support = {}

support.rows = 48

local function cells(shape)
  local n = support.rows
  for _, d in ipairs(shape) do n = n * d end
  return n
end

--- A tensor of numbers that follow from their position alone.
function support.numbers(shape, salt)
  local list = {}
  for i = 0, cells(shape) - 1 do list[i + 1] = ((i * 37 + salt * 11) % 101) / 50 - 1 end
  return core.reshape(core.new(list), {support.rows, table.unpack(shape)})
end

function support.ids(shape, highest)
  local list = {}
  for i = 0, cells(shape) - 1 do list[i + 1] = (i * 37) % (highest + 1) end
  return core.reshape(core.new(list, "int32"), {support.rows, table.unpack(shape)})
end

function support.labels()
  local list = {}
  for i = 0, support.rows - 1 do list[i + 1] = (i * 7) % 3 end
  return core.new(list, "int32")
end

--- The input of a model of models.lua.
function support.input(m)
  if m.ids then return support.ids(m.x, m.ids) end
  if type(m.x[1]) == "table" then
    local list = {}
    for i, shape in ipairs(m.x) do list[i] = support.numbers(shape, i) end
    return list
  end
  return support.numbers(m.x, 1)
end

function support.flat(t) return core.reshape(core.astype(t, "float32"), {t.size}):totable() end

--- Two more epochs: the history of the loss.
function support.go_on(model, x)
  return model:fit{x, support.labels(), epochs = 2, batch_size = 16, shuffle = false,
    verbose = 0}.history.loss
end

--- The largest |a - b| / (1 + |b|).
function support.gap(a, b)
  local worst = #a == #b and 0 or math.huge
  for i = 1, math.min(#a, #b) do
    local d = math.abs(a[i] - b[i]) / (1 + math.abs(b[i]))
    if d ~= d then d = math.huge end
    worst = math.max(worst, d)
  end
  return worst
end

function support.write(path, value) files.write(path, core.json.encode(value)) end

function support.read(path)
  local text = files.text(path)
  return text and core.json.decode(text, path)
end

support.nn = nn

return support
