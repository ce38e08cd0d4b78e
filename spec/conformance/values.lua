-- From the case files' JSON to tensors and objects, and back to comparisons.

local nn = require "nnlua"
local core = require "nnlua.core"

local values = {}

local special = {NaN = 0 / 0, Infinity = math.huge, ["-Infinity"] = -math.huge}

function values.number(v) return special[v] or v end

--- True for {"dtype", "shape", "data"}.
function values.is_tensor(v)
  return type(v) == "table" and v.data ~= nil and v.shape ~= nil and v.dtype ~= nil
end

--- A tensor, or for strings a nested Lua table.
function values.tensor(v)
  if v.dtype == "string" then return values.strings(v) end
  local flat = {}
  for i, x in ipairs(v.data) do
    if type(x) == "boolean" then x = x and 1 or 0 end
    flat[i] = special[x] or x
  end
  local dtype = v.dtype == "bool" and "uint8" or v.dtype
  if dtype ~= "int32" and dtype ~= "uint8" then
    dtype = dtype:find "int" and "int32" or "float32"
  end
  local t = #flat == 0 and core.full({0}, 0, dtype) or core.new(flat, dtype)
  return core.reshape(t, v.shape)
end

function values.strings(v)
  local at = 0
  local function level(d)
    if d > #v.shape then
      at = at + 1
      return v.data[at]
    end
    local out = {}
    for i = 1, v.shape[d] do out[i] = level(d + 1) end
    return out
  end
  return level(1)
end

local axis_keys = {axis = true, axes = true, input_axes = true, output_axes = true,
  shared_axes = true, attention_axes = true}

local function shift(v)
  if type(v) == "table" then
    local out = {}
    for i, a in ipairs(v) do out[i] = shift(a) end
    return out
  end
  return math.type(v) == "integer" and v >= 0 and v + 1 or v
end

local null = nn.None

--- A config with axes counted from 1, JSON null as nn.None, tensors and objects made.
function values.config(config, kind)
  local out = {}
  for key, v in pairs(config or {}) do
    if v == values.null then
      out[key] = null
    elseif axis_keys[key] and kind ~= "plain" then
      out[key] = shift(v)
    elseif values.is_tensor(v) then
      out[key] = values.tensor(v)
    else
      out[key] = values.object(v)
    end
  end
  return out
end

--- Nested objects {"class_name", "config"} keep that form, with their own axes shifted.
function values.object(v)
  if v == values.null then return null end
  if special[v] then return special[v] end
  if type(v) ~= "table" then return v end
  if v.class_name then return {class_name = v.class_name, config = values.config(v.config)} end
  if values.is_tensor(v) then return values.tensor(v) end
  local out = {}
  for key, one in pairs(v) do out[key] = values.object(one) end
  return out
end

-- comparing
-- ----------------------------------------------------------------------------------------

local function close(a, b, tolerance)
  if b ~= b then return a ~= a end
  if b == math.huge or b == -math.huge then return a == b end
  return math.abs(a - b) <= tolerance.atol + tolerance.rtol * math.abs(b)
end

local function shape_text(s) return "(" .. table.concat(s, ", ") .. ")" end

local function flat(v)
  if core.is_tensor(v) then return core.totable(core.reshape(core.astype(v), {v.size})), v.shape end
  local list, shape = {}, {}
  local level = v
  while type(level) == "table" do
    shape[#shape + 1] = #level
    level = level[1]
  end
  local function walk(x)
    if type(x) == "table" then for _, y in ipairs(x) do walk(y) end else list[#list + 1] = x end
  end
  walk(v)
  return list, shape
end

--- nil when `got` is the tensor `want` of a case within the tolerance, else what differs.
function values.differs(got, want, tolerance)
  if want == values.null or want == nil then
    if got == nil or got == false then return nil end
    return "a value, expected none"
  end
  if got == nil or got == false then return "nothing, expected a tensor" end
  if type(got) == "number" then got = core.new(got) end
  local list, shape = flat(got)
  if #shape ~= #want.shape then
    return ("shape %s, expected %s"):format(shape_text(shape), shape_text(want.shape))
  end
  for i = 1, #shape do
    if shape[i] ~= want.shape[i] then
      return ("shape %s, expected %s"):format(shape_text(shape), shape_text(want.shape))
    end
  end
  local worst, at = -1, nil
  for i, w in ipairs(want.data) do
    local expected, actual = values.number(w), list[i]
    if want.dtype == "string" then
      if actual ~= expected then
        return ("element %d is %s, expected %s"):format(i, tostring(actual), expected)
      end
    else
      if expected == true then expected = 1 elseif expected == false then expected = 0 end
      if not close(actual, expected, tolerance) then
        local gap = math.abs(actual - expected)
        if gap ~= gap then gap = math.huge end
        if gap > worst then worst, at = gap, i end
      end
    end
  end
  if at then
    return ("element %d is %.9g, expected %s"):format(at, list[at], tostring(want.data[at]))
  end
end

--- As `differs`, for numbers, tensors, lists and tables of them.
function values.differs_deep(got, want, tolerance, path)
  path = path or ""
  if values.is_tensor(want) then
    local d = values.differs(got, want, tolerance)
    return d and path .. ": " .. d
  end
  if want == values.null then
    return got ~= nil and got ~= false and got ~= null and path .. ": expected none" or nil
  end
  local number = values.number(want)
  if type(number) == "number" then
    if core.is_tensor(got) and got.size == 1 then got = got:item() end
    if type(got) ~= "number" then
      return ("%s is %s, expected %s"):format(path, tostring(got), want)
    end
    if not close(got, number, tolerance) then
      return ("%s is %.9g, expected %s"):format(path, got, tostring(want))
    end
    return nil
  end
  if type(want) ~= "table" then
    if got == want then return nil end
    return ("%s is %s, expected %s"):format(path, tostring(got), tostring(want))
  end
  if type(got) ~= "table" then
    return ("%s is %s, expected a table"):format(path, tostring(got))
  end
  for key, w in pairs(want) do
    local d = values.differs_deep(got[key], w, tolerance, path .. "." .. tostring(key))
    if d then return d end
  end
  for key in pairs(got) do
    if want[key] == nil then return ("%s.%s is not expected"):format(path, tostring(key)) end
  end
end

return values
