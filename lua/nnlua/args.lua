-- Arguments: one record or plain positions, by a signature written as in Python.
--
--   local sig = args.signature("Dense", 'units, activation=None, use_bias=True')
--   local a = args.bind(sig, {5, activation = "relu"})   --> {units=5, activation="relu",
-- use_bias=true}
--
-- A signature is the text that Keras documents; None is nil, tuples are arrays. Because a Lua
-- record cannot hold nil, `args.None` says "explicitly None" where the default is something else.

local err = require "nnlua.err"

local args = {}

args.None = setmetatable({}, {__tostring = function() return "None" end, __name = "nn.None"})

--- Adds to a config the fields of `object` that `names` lists, nil as None; gives the config.
function args.fill(config, object, names)
  for _, name in ipairs(names) do
    local value = object[name]
    config[name] = value == nil and args.None or value
  end
  return config
end

-- Set by nnlua.keras_tensor once it is loaded: functions called on the symbolic tensors of a
-- functional model become layers of that model. Fields: found(bound, sig), call(fn, sig, bound).
args.symbolic = nil

local described = setmetatable({}, {__mode = "k"})

-- A reader for the literals that occur as defaults.
local literal

local function literal_list(text, at)
  local list, close = {}, text:sub(at, at) == "(" and ")" or "]"
  at = at + 1
  while true do
    at = text:match("^[%s,]*()", at)
    if text:sub(at, at) == close then return list, at + 1 end
    list[#list + 1], at = literal(text, at)
  end
end

function literal(text, at)
  local c = text:sub(at, at)
  if c == '"' or c == "'" then
    local s, next_at = text:match("^([^" .. c .. "]*)" .. c .. "()", at + 1)
    return s, next_at
  elseif c == "(" or c == "[" then
    return literal_list(text, at)
  end
  local word, next_at = text:match("^([^,%s%)%]]+)()", at)
  if word == "True" then return true, next_at end
  if word == "False" then return false, next_at end
  if word == "None" then return nil, next_at end
  return assert(tonumber(word), "bad default in signature: " .. text), next_at
end

--- Parses a signature. Each entry has name, default and `required`; `sig.index` finds by name.
--- opts: `extra` (a name -> true set or true: named arguments beyond the signature are kept),
--- `list` (the first argument is a list, so that f({a, b}) is not taken for a record).
function args.signature(name, text, opts)
  local sig = {name = name, index = {}, text = text}
  for k, v in pairs(opts or {}) do sig[k] = v end
  local at = 1
  while true do
    at = text:match("^[%s,]*()", at)
    if at > #text then break end
    local arg, after = text:match("^([%w_]+)%s*()", at)
    assert(arg, "bad signature: " .. text)
    local entry = {name = arg, required = true}
    if text:sub(after, after) == "=" then
      entry.required = false
      entry.default, after = literal(text, text:match("^=%s*()", after))
    end
    sig[#sig + 1] = entry
    sig.index[arg] = entry
    at = after
  end
  return sig
end

local function names_of(sig)
  local names = {}
  for i, entry in ipairs(sig) do names[i] = entry.name end
  for name in pairs(type(sig.extra) == "table" and sig.extra or {}) do names[#names + 1] = name end
  return names
end

local function copy_default(v)
  if type(v) ~= "table" then return v end
  return table.move(v, 1, #v, 1, {})
end

local function unknown(sig, name)
  err.raise("%s: unknown argument '%s'%s", sig.name, tostring(name),
    err.suggest(tostring(name), names_of(sig)))
end

--- Binds one record (array part = positions, hash part = names) to a signature.
--- The result's `given` tells which arguments were passed.
function args.bind(sig, record)
  local out, given = {}, {}
  for key, value in pairs(record) do
    local entry
    if math.type(key) == "integer" then
      entry = sig[key]
      if not entry then
        err.raise("%s: %d positional arguments, at most %d are possible", sig.name, key, #sig)
      end
    else
      entry = sig.index[key]
      if not entry then
        if sig.extra == true or (sig.extra and sig.extra[key]) then
          entry = {name = key}
        else
          unknown(sig, key)
        end
      end
    end
    if given[entry.name] then
      err.raise("%s: argument '%s' is given twice", sig.name, entry.name)
    end
    given[entry.name] = true
    if value ~= args.None then out[entry.name] = value end
  end
  for _, entry in ipairs(sig) do
    if not given[entry.name] then
      if entry.required then err.raise("%s: %s is missing", sig.name, entry.name) end
      out[entry.name] = copy_default(entry.default)
    end
  end
  return out, given
end

--- True for a table that can be a record of arguments: no metatable.
function args.is_record(v)
  return type(v) == "table" and getmetatable(v) == nil
end

-- {axis = -1} behind positional values: named arguments, when every key is a name that is known.
local function is_options(sig, v)
  if not args.is_record(v) or next(v) == nil then return false end
  for key in pairs(v) do
    if type(key) ~= "string" or not sig.index[key] then return false end
  end
  return true
end

--- Collects a call's values: f{...} is one record, f(a, b) are positions, f(a, {name = v}) both.
--- nil in a position asks for the default.
function args.collect(sig, ...)
  local first = ...
  local n = select("#", ...)
  if n == 1 and args.is_record(first) and not (sig.list and args.is_plain_list(first)) then
    return args.bind(sig, first)
  end
  local record = {}
  local last = n > 1 and select(n, ...) or nil
  if n > 1 and is_options(sig, last) then
    for key, v in pairs(last) do record[key] = v end
    n = n - 1
  end
  for i = 1, n do
    local v = select(i, ...)
    if v == nil and sig[i] and sig[i].required then v = args.None end
    record[i] = v
  end
  return args.bind(sig, record)
end

--- For functions whose first argument is a list: {a, b} of tensors or numbers, nothing named, is
--- it.
function args.is_plain_list(t)
  if #t == 0 then return false end
  for key in pairs(t) do
    if math.type(key) ~= "integer" then return false end
  end
  return not args.is_record(t[1])
end

--- Declares a public function: fn gets the bound record's values in the signature's order.
function args.fn(name, text, fn, opts)
  local sig = args.signature(name, text, opts)
  local n = #sig
  local function call(...)
    local a = args.collect(sig, ...)
    local symbolic = args.symbolic
    if symbolic and symbolic.found(a, sig) then return symbolic.call(call, sig, a) end
    if n == 1 then return fn(a[sig[1].name]) end
    local list = {}
    for i = 1, n do list[i] = a[sig[i].name] end
    return fn(table.unpack(list, 1, n))
  end
  described[call] = sig
  return call
end

--- Gives a function around such a one its signature.
function args.declare(fn, sig) described[fn] = sig end

--- The signature of a function made by `args.fn`, nil for others.
function args.describe(fn) return described[fn] end

return args
