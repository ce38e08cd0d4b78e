-- What the layers of sliding windows share: sizes per axis, padding, layouts of channels, and the
-- attributes of the ops.

local err = require "nnlua.err"
local shapes = require "nnlua.shapes"

local window = {}

local function ops() return require "nnlua.ops" end

--- A number or a list of `rank` positive integers as a list.
function window.sizes(self, name, value, rank, least)
  least = least or 1
  local list = type(value) == "table" and value or {}
  if type(value) == "number" then for i = 1, rank do list[i] = value end end
  local good = #list == rank
  for i = 1, #list do good = good and math.tointeger(list[i]) and list[i] >= least end
  if not good then
    err.raise("%s: %s is %s, expected %s of %d or more", self.class_name, name,
      type(value) == "table" and shapes.text(value) or err.show(value),
      rank == 1 and "an integer" or ("an integer or %d"):format(rank), least)
  end
  local out = {}
  for i = 1, rank do out[i] = math.tointeger(list[i]) end
  return out
end

--- "valid", "same" (or "causal") in lower case.
function window.padding(self, value, causal)
  local name = type(value) == "string" and value:lower() or value
  if name ~= "valid" and name ~= "same" and not (causal and name == "causal") then
    err.raise("%s: padding is %s, expected valid%s same", self.class_name,
      type(value) == "string" and ("'%s'"):format(value) or err.show(value),
      causal and ", causal or" or " or")
  end
  return name
end

function window.data_format(self, value)
  value = value or "channels_last"
  if value ~= "channels_last" and value ~= "channels_first" then
    err.raise("%s: data_format is '%s', expected channels_last or channels_first", self.class_name,
      tostring(value))
  end
  return value
end

--- The positions of the channels' axis: 2 or the last.
function window.channel_axis(self, rank)
  return self.data_format == "channels_first" and 2 or rank
end

--- x with its channels last.
function window.to_last(self, x)
  if self.data_format ~= "channels_first" then return x end
  local order = {1}
  for i = 3, x.ndim do order[#order + 1] = i end
  order[#order + 1] = 2
  return ops().transpose(x, order)
end

--- The result in the layer's layout.
function window.from_last(self, y)
  if self.data_format ~= "channels_first" then return y end
  local order = {1, y.ndim}
  for i = 2, y.ndim - 1 do order[#order + 1] = i end
  return ops().transpose(y, order)
end

--- Elements of padding before and after each axis of x (channels last).
function window.pads(padding, shape, size, strides, dilation)
  local before, after = {}, {}
  for i = 1, #size do
    local n, wide = shape[i + 1], (size[i] - 1) * dilation[i] + 1
    local total = 0
    if padding == "same" then
      total = math.max(((n + strides[i] - 1) // strides[i] - 1) * strides[i] + wide - n, 0)
    elseif padding == "causal" then
      total = wide - 1
    end
    before[i] = padding == "causal" and total or total // 2
    after[i] = total - before[i]
  end
  return before, after
end

local function by_x(list) return table.concat(list, "x") end

--- Raises when the window is larger than what there is.
function window.check_fit(self, shape, size, dilation, before, after)
  local there, wide, fits = {}, {}, true
  for i = 1, #size do
    there[i], wide[i] = shape[i + 1], (size[i] - 1) * dilation[i] + 1
    fits = fits and wide[i] <= there[i] + before[i] + after[i]
  end
  if fits then return end
  if #size == 1 then
    err.raise("%s: a %s of %d does not fit in %d steps; pad or shrink the %s", self.class_name,
      self.window_name, wide[1], there[1], self.window_name)
  end
  err.raise("%s: a %s %s does not fit in %s input; pad or shrink the %s", self.class_name,
    by_x(wide), self.window_name, by_x(there), self.window_name)
end

--- The attributes that all these ops begin with.
function window.ints(rank, strides, dilation, before, after)
  local ints = {rank}
  for k, list in ipairs {strides, dilation, before, after} do
    for i = 1, 3 do ints[1 + (k - 1) * 3 + i] = list[i] or (k <= 2 and 1 or 0) end
  end
  return ints
end

return window
