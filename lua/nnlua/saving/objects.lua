-- Objects as data and back: {module, class_name, config, registered_name}, as Keras writes them.
--
-- Names in a file are looked up in the fixed tables of this library and among the classes that the
-- caller registered, nothing else; no code is ever loaded. Axes count from 0 in files and from 1
-- here: `axis` and its kin are shifted at this boundary.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local names = require "nnlua.names"

local objects = {}

local null = core.json.null

-- registered classes and functions
-- -----------------------------------------------------------------

--- Custom objects of the load under way: name -> class or function.
objects.custom = nil

local registered, name_of = {}, setmetatable({}, {__mode = "k"})

--- Makes a class or function known to loading, as `package>name` ("Custom>Name" by default).
---@param object table|function
---@param options {package: string?, name: string?}?
function objects.register_serializable(object, options)
  options = options or {}
  local name = options.name or (type(object) == "table" and object.class_name)
  err.check(type(name) == "string", "register_serializable: name is missing")
  local full = (options.package or "Custom") .. ">" .. name
  registered[full] = object
  name_of[object] = full
  return object
end

function objects.registered_name(object) return name_of[object] end

--- The class or function of that name: among the custom objects of the load under way, then among
--- the registered ones ("package>name", or the bare name of one in "Custom").
function objects.find_registered(name)
  local bare = name:match(">(.*)$") or name
  local custom = objects.custom or {}
  return custom[name] or custom[bare] or registered[name] or registered["Custom>" .. name]
end

-- axes
-- ---------------------------------------------------------------------------------------------

local axis_keys = {axis = true, axes = true, shared_axes = true, attention_axes = true,
  input_axes = true, output_axes = true}

local function shift(v, by)
  if math.type(v) == "integer" then
    if by > 0 then return v >= 0 and v + by or v end
    return v > 0 and v + by or v
  elseif type(v) == "table" and getmetatable(v) == nil then
    local out = {}
    for i, one in ipairs(v) do out[i] = shift(one, by) end
    return out
  end
  return v
end

objects.shift = shift

-- writing
-- ------------------------------------------------------------------------------------------

--- True while a configuration is made that has no assets beside it.
objects.alone = false

--- Runs f(...), whose configurations hold what layers would keep in assets.
function objects.standing_alone(f, ...)
  local before = objects.alone
  objects.alone = true
  local function finish(ok, ...)
    objects.alone = before
    if not ok then error((...), 0) end
    return ...
  end
  return finish(pcall(f, ...))
end

local function dtype_policy(name)
  return {module = "keras", class_name = "DTypePolicy", config = {name = name},
    registered_name = null}
end

local function function_config(fn)
  local activation = require("nnlua.activations").name_of(fn)
  if activation then return activation end
  for _, space in ipairs {"losses", "metrics"} do
    local known = require("nnlua." .. space)
    local name = known.name_of and known.name_of(fn)
    if name then return name end
  end
  local name = name_of[fn]
  if name then
    return {module = "builtins", class_name = "function", config = name,
      registered_name = "function"}
  end
  return err.raise("save: a Lua function can be saved only when it is registered with "
    .. "nn.saving.register_serializable")
end

-- "keras.layers" and so on: the class's own namespace, found along its parents.
local function module_of(object)
  local cls = getmetatable(object)
  while cls do
    local module = rawget(cls, "module")
    if module then return module end
    cls = rawget(cls, "super")
  end
  return "keras"
end

local serialize

--- A layer's or model's shape in a file: unknown sizes are null.
local function shape_list(shape)
  local out = {}
  for i, n in ipairs(shape) do out[i] = n or null end
  return core.json.array(out)
end

objects.shape_list = shape_list

--- {input_shape = ...} of a layer that was built for one input or a list of them; the batch is
--- unknown. Layers whose tensors are arguments of their own have none: Keras builds them when they
--- are called.
function objects.build_config(object)
  local shape = rawget(object, "built_shape")
  if object.tensor_arguments and type(shape) == "table" and type(shape[1]) == "table" then
    return nil
  end
  if type(shape) ~= "table" or shape[1] == nil then return nil end
  local function with_batch(s)
    local out = shape_list(s)
    out[1] = null
    return out
  end
  if type(shape[1]) ~= "table" then return {input_shape = with_batch(shape)} end
  local list = {}
  for i, one in ipairs(shape) do
    if type(one[1]) == "table" or one[1] == nil then return nil end
    list[i] = with_batch(one)
  end
  return {input_shape = core.json.array(list)}
end

local shape_keys = {batch_shape = true, build_input_shape = true, output_shape = true,
  noise_shape = true}

function objects.serialize_config(config)
  local out = {}
  for key, v in pairs(config) do
    if key == "dtype" and type(v) == "string" and not config.batch_shape then
      out[key] = dtype_policy(v)
    elseif shape_keys[key] and type(v) == "table" and v ~= args.None then
      out[key] = shape_list(v)
    elseif axis_keys[key] then
      out[key] = serialize(shift(v, -1))
    else
      out[key] = serialize(v)
    end
  end
  return out
end

local function is_builtin(object)
  return getmetatable(object).builtin_module ~= false and not name_of[getmetatable(object)]
end

local function object_config(object)
  local cls = getmetatable(object)
  local ok, config = pcall(objects.serialize_config, object:get_config())
  if not ok and type(config) ~= "string" then error(config, 0) end
  if not ok then -- say whose configuration it is
    local text = err.text(config):gsub("^save: ", "")
    err.raise("save: %s%s: %s", object.class_name,
      type(object.name) == "string" and (" '%s'"):format(object.name) or "", text)
  end
  local full = name_of[cls]
  local out = {class_name = object.class_name, config = config,
    module = is_builtin(object) and module_of(object) or null,
    registered_name = full or null}
  out.build_config = objects.build_config(object)
  return out
end

function serialize(v)
  if v == nil or v == args.None then return null end
  if type(v) == "function" then return function_config(v) end
  if core.is_tensor(v) then
    return {class_name = "__tensor__", config = {value = v:totable(), dtype = v.dtype}}
  end
  if type(v) ~= "table" then return v end
  if class.is_class(getmetatable(v)) then
    if v.is_model then return require("nnlua.saving.config").serialize_model(v) end
    if not v.get_config then err.raise("save: a %s cannot be saved", v.class_name) end
    return object_config(v)
  end
  local out = {}
  for key, one in pairs(v) do out[key] = serialize(one) end
  if next(v) == nil then return core.json.array(out) end
  if v[1] ~= nil then return core.json.array(out) end
  return out
end

objects.serialize = serialize

-- reading
-- ------------------------------------------------------------------------------------------

local spaces = {
  ["keras.layers"] = "layers", ["keras.initializers"] = "initializers",
  ["keras.regularizers"] = "regularizers", ["keras.constraints"] = "constraints",
  ["keras.losses"] = "losses", ["keras.metrics"] = "metrics", ["keras.optimizers"] = "optimizers",
  ["keras.optimizers.schedules"] = "optimizers.schedules", ["keras.activations"] = "activations",
}

-- Where to look for a class of old files, which name no module: by the key that it stands under.
local hints = {
  {"initializer$", "initializers"}, {"regularizer$", "regularizers"},
  {"constraint$", "constraints"}, {"^learning_rate$", "optimizers.schedules"},
  {"^loss$", "losses"}, {"metrics$", "metrics"}, {"^optimizer$", "optimizers"},
}

local function space_of(module, key)
  if type(module) == "string" then
    local short = module:gsub("^tf_keras", "keras"):gsub("^keras%.src%.", "keras.")
    if short:find("learning_rate_schedule", 1, true) then return "optimizers.schedules" end
    return spaces[short] or spaces[short:match "^keras%.%a+" or ""]
  end
  for _, hint in ipairs(hints) do
    if type(key) == "string" and key:find(hint[1]) then return hint[2] end
  end
  return "layers"
end

-- Legacy .h5 files have the classes' own names.
local exported = {}
for name, own in pairs(names.own) do exported[own] = name end

--- The class of that name, from the caller's objects or the fixed tables; an error names what
--- lacks. key: what the object stands under.
function objects.find_class(config, key)
  local name, module = config.class_name, config.module
  if type(name) ~= "string" then err.raise("load: an object without class_name") end
  if module == null then module = nil end
  local full = config.registered_name
  local custom = type(full) == "string" and objects.find_registered(full)
  custom = custom or objects.find_registered(name)
  if class.is_class(custom) then return custom end
  local space = space_of(module, key)
  local known = space and require("nnlua." .. space)[exported[name] or name]
  if class.is_class(known) then return known end
  return err.raise("load: there is no class '%s' (%s); pass it in custom_objects or register it "
    .. "with nn.saving.register_serializable", name, tostring(module or "custom"))
end

local deserialize

-- Counts that make work or take memory by themselves, whatever the file's weights.
local most = {num_thresholds = 1000000, num_classes = 100000, max_tokens = 10000000,
  vocabulary_size = 10000000}

-- Files name no files: opening one never opens another.
local function check_value(key, v)
  if most[key] and type(v) == "number" and not (v <= most[key]) then
    err.raise("load: %s is %s, at most %d are read from a file", key, tostring(v), most[key])
  end
  if key == "vocabulary" and type(v) == "string" then
    err.raise("load: the configuration names a vocabulary file, which is not opened")
  end
end

--- The same for data that is kept as it is, to be used later.
function objects.check_plain(v)
  for key, one in pairs(v) do
    check_value(key, one)
    if type(one) == "table" then objects.check_plain(one) end
  end
end

local function plain_dtype(v)
  if type(v) == "table" and type(v.config) == "table" then v = v.config.name end
  return type(v) == "string" and v or nil
end

--- A configuration with its values made: null is args.None, axes count from 1.
function objects.deserialize_config(config)
  local out = {}
  for key, v in pairs(config) do
    check_value(key, v)
    if key == "dtype" then
      out[key] = plain_dtype(v)
    elseif axis_keys[key] then
      out[key] = shift(deserialize(v, key), 1)
    else
      local value = deserialize(v, key)
      if value == nil then value = args.None end
      out[key] = value
    end
  end
  return out
end

local function plain_list(v, key)
  local out = {}
  for i = 1, #v do
    out[i] = deserialize(v[i], key)
    if out[i] == nil then out[i] = false end
  end
  return out
end

-- A function by its name: a registered one, or one of the library's.
local function find_function(name)
  local fn = type(name) == "string" and objects.find_registered(name)
  for _, space in ipairs {"activations", "losses", "metrics"} do
    if fn or type(name) ~= "string" then break end
    local ok, found = pcall(require("nnlua." .. space).get, name)
    fn = ok and found
  end
  return fn or err.raise("load: there is no function '%s'; pass it in custom_objects or register "
    .. "it with nn.saving.register_serializable", tostring(name))
end

--- What a value of a file means here. key: what it stands under.
function deserialize(v, key)
  if v == null or v == nil then return nil end
  if type(v) ~= "table" then return v end
  local name = v.class_name
  if name == "__tensor__" or name == "__numpy__" then
    return core.new(v.config.value, plain_dtype(v.config.dtype))
  elseif name == "__lambda__" then
    return err.raise("load: the file holds a Python lambda, which is code; code is never loaded")
  elseif name == "function" then
    return find_function(v.config)
  elseif type(name) == "string" and name:find "^__" then
    return err.raise("load: the file holds a value of the kind '%s', which is not supported", name)
  elseif type(name) == "string" and type(v.config) == "table" then
    return objects.make(v, key)
  elseif #v > 0 or next(v) == nil then
    return plain_list(v, key)
  end
  local out = {}
  for k, one in pairs(v) do out[k] = deserialize(one, key) end
  return out
end

objects.deserialize = deserialize

-- Arguments that say nothing here: of other Keras versions, and empty.
local ignored = {jit_compile = true, is_legacy_optimizer = true, ragged = true, sparse = true}

local function drop_unknown(cls, config)
  local sig = cls.signature
  if not sig or sig.extra == true then return config end
  for key, v in pairs(config) do
    local known = type(key) ~= "string" or sig.index[key] or (sig.extra and sig.extra[key])
    if not known and (v == args.None or ignored[key] or (key == "decay" and v == 0)) then
      config[key] = nil
    end
  end
  return config
end

local is_model = {Sequential = true, Functional = true, Model = true}

--- The object of a configuration.
function objects.make(v, key)
  if is_model[v.class_name] then return require("nnlua.saving.config").make_model(v) end
  if v.class_name == "DTypePolicy" then return plain_dtype(v) end
  local cls = objects.find_class(v, key)
  local config = drop_unknown(cls, objects.deserialize_config(v.config))
  return cls.from_config and cls.from_config(cls, config) or cls(config)
end

return objects
