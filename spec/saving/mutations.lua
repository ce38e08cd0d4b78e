-- Broken files for spec/saving/mutate.lua: bytes that flip, vanish, repeat and come from other
-- files; configurations with values, keys, names and parts where they do not belong.

local core = require "nnlua.core"
local json = core.json

local M = {}

local random = math.random

local function pick(list) return list[random(#list)] end

-- bytes -------------------------------------------------------------------------------------------

local numbers = {0, 1, -1, 2, 127, 128, 255, 65535, 65536, 1 << 24, (1 << 31) - 1, 1 << 31, 1 << 32,
  1 << 40, math.maxinteger, math.mininteger}

local function replaced(text, at, by, length)
  return text:sub(1, at - 1) .. by .. text:sub(at + (length or #by))
end

local ways = {}

function ways.flip(text)
  local at = random(#text)
  return replaced(text, at, string.char(text:byte(at) ~ 1 << random(0, 7)))
end

function ways.byte(text) return replaced(text, random(#text), string.char(random(0, 255))) end

function ways.number(text)
  local code = pick {"<i1", "<i2", "<i4", "<i8", ">i4"}
  local bits = 8 * tonumber(code:sub(3))
  local v = pick(numbers)
  if bits < 64 then v = (v & (1 << bits) - 1) - ((v >> bits - 1 & 1) << bits) end
  return replaced(text, random(#text), string.pack(code, v))
end

function ways.cut(text) return text:sub(1, random(0, #text - 1)) end

function ways.drop(text)
  return replaced(text, random(#text), "", random(1, 64))
end

function ways.again(text)
  local at, n = random(#text), random(1, 256)
  return replaced(text, random(#text), text:sub(at, at + n - 1), 0)
end

function ways.copy(text)
  local at, n = random(#text), random(1, 64)
  return replaced(text, random(#text), text:sub(at, at + n - 1))
end

function ways.splice(text, other)
  return text:sub(1, random(#text)) .. other:sub(random(math.max(1, #other)))
end

function ways.graft(text, other)
  local at, n = random(math.max(1, #other)), random(1, 512)
  return replaced(text, random(#text), other:sub(at, at + n - 1))
end

-- The digits of a text inside, so that lengths stay.
function ways.digit(text)
  local at = text:find("%d", random(#text))
  return at and replaced(text, at, tostring(random(0, 9))) or text
end

local names = {}
for name in pairs(ways) do names[#names + 1] = name end
table.sort(names)

--- text with one to four changes. other: another file, to take parts from.
function M.bytes(text, other)
  for _ = 1, random() < 0.6 and 1 or random(2, 4) do
    if #text == 0 then return text end
    text = ways[pick(names)](text, other)
  end
  return text
end

-- configurations ----------------------------------------------------------------------------------

local function deep(n)
  local v = json.array{}
  for _ = 1, n do v = json.array{v} end
  return v
end

local function nested_models(n)
  local v = {class_name = "Sequential", config = {name = "deep", layers = json.array{}}}
  for i = 1, n do
    v = {class_name = "Sequential", config = {name = "deep" .. i, layers = json.array{v}}}
  end
  return v
end

local classes

-- The names of all classes that files may name, and some that they may not.
local function class_names()
  if classes then return classes end
  classes = {"Lambda", "Functional", "Sequential", "Model", "__tensor__", "__lambda__", "function",
    "DTypePolicy", "io", "os", "", "Nothing", "TFSMLayer", "StringLookup", "TextVectorization"}
  for _, space in ipairs {"layers", "losses", "metrics", "optimizers", "initializers",
      "regularizers", "constraints"} do
    for name, v in pairs(require("nnlua." .. space)) do
      if type(name) == "string" and type(v) == "table" then classes[#classes + 1] = name end
    end
  end
  table.sort(classes)
  return classes
end

local values = {
  function() return json.null end, function() return true end, function() return false end,
  function() return -1 end, function() return 0 end, function() return 1 end,
  function() return 2.5 end, function() return 1e9 end, function() return 1e308 end,
  function() return 0 / 0 end, function() return 1 / 0 end,
  function() return pick(numbers) end, function() return random(-3, 100) end,
  function() return "" end, function() return "../../x" end, function() return "/etc/passwd" end,
  function() return "a/b" end, function() return "\0" end, function() return ("x"):rep(5000) end,
  function() return pick(class_names()) end, function() return "linear" end,
  function() return {} end, function() return json.array{} end, function() return deep(50) end,
  function() return deep(500) end, function() return nested_models(20) end,
  function() return json.array{-1, json.null, "x"} end,
  function() return json.array{1000000, 1000000, 1000000} end,
  function() return {class_name = pick(class_names()), config = {}, module = "keras.layers"} end,
  function() return {class_name = "__lambda__", config = {value = "aGk="}} end,
  function() return {class_name = "__tensor__", config = {value = deep(5), dtype = "float32"}} end,
  function() return {class_name = pick(class_names()), config = json.null} end,
}

local function sorted_keys(t)
  local list = {}
  for key in pairs(t) do list[#list + 1] = key end
  table.sort(list, function(a, b) return tostring(a) < tostring(b) end)
  return list
end

-- Places: {table, key} of everything below v.
local function places(v, list)
  for _, key in ipairs(sorted_keys(v)) do
    list[#list + 1] = {v, key}
    if type(v[key]) == "table" then places(v[key], list) end
  end
  return list
end

local changes = {
  function(t, key) t[key] = pick(values)() end,
  function(t, key) t[key] = pick(values)() end,
  function(t, key) t[key] = pick(values)() end,
  function(t, key) -- away
    if math.type(key) == "integer" then table.remove(t, key) else t[key] = nil end
  end,
  function(t, key, list) -- something from elsewhere
    local from = pick(list)
    t[key] = from[1][from[2]]
  end,
  function(t, key) -- twice
    if math.type(key) == "integer" then
      table.insert(t, key, t[key])
    else
      t[key .. pick {"s", "_", "1"}] = t[key]
    end
  end,
  function(t, key) if type(key) == "string" then t[key .. "x"], t[key] = t[key], nil end end,
  function(t, key) if type(t[key]) == "number" then t[key] = t[key] * random(-2, 1000) end end,
  function(t, key) if type(t[key]) == "string" then t[key] = pick(class_names()) end end,
  function(t, key, list) -- a class by another's name
    for _ = 1, 20 do
      local one = pick(list)
      if one[2] == "class_name" then
        one[1][one[2]] = pick(class_names())
        return
      end
    end
    t[key] = pick(values)()
  end,
}

--- The JSON text of a configuration with one to three changes; nil when they made it a circle.
function M.config(text)
  local object = json.decode(text)
  for _ = 1, random() < 0.6 and 1 or random(2, 3) do
    local list = places(object, {})
    if #list == 0 then break end
    local place = pick(list)
    pick(changes)(place[1], place[2], list)
    if not pcall(json.encode, object) then return nil end
  end
  return json.encode(object)
end

return M
