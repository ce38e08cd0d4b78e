-- IntegerLookup and StringLookup: tokens to indices and back, by a vocabulary that is given or
-- counted.
--
-- Indices of output_mode "int": the mask token 0 (if there is one), then num_oov_indices slots for
-- unknown tokens, then the vocabulary. In the other modes the mask token has no index.

local core = require "nnlua.core"
local args = require "nnlua.args"
local categorical = require "nnlua.layers.categorical"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local Layer = require "nnlua.layers.layer"

local M = {}

local function ops() return require "nnlua.ops" end

local Lookup = categorical.Preprocessing:extend("Lookup", {args = ""})

local function check_arguments(self, a)
  local name = self.class_name
  categorical.check_mode(name, a.output_mode, "tf_idf")
  err.check(not a.sparse, "%s: sparse tensors are not supported", name)
  if math.tointeger(a.num_oov_indices) == nil or a.num_oov_indices < 0 then
    err.raise("%s: num_oov_indices is %s, expected an integer of 0 or more", name,
      err.show(a.num_oov_indices))
  end
  if a.max_tokens ~= nil and (math.tointeger(a.max_tokens) == nil or a.max_tokens <= 1) then
    err.raise("%s: max_tokens is %s, expected an integer above 1", name, err.show(a.max_tokens))
  end
  if a.pad_to_max_tokens and (a.max_tokens == nil or a.output_mode == "int") then
    err.raise("%s: pad_to_max_tokens needs max_tokens and another output_mode than int", name)
  end
  if a.invert and a.output_mode ~= "int" then
    err.raise("%s: invert needs output_mode 'int', got '%s'", name, a.output_mode)
  end
  if a.invert and a.num_oov_indices > 1 then
    err.raise("%s: num_oov_indices is %d, at most 1 with invert", name, a.num_oov_indices)
  end
end

function Lookup:init(a)
  check_arguments(self, a)
  Layer.init(self, a)
  for _, entry in ipairs(self.signature) do
    if entry.name ~= "vocabulary" and entry.name ~= "name" then self[entry.name] = a[entry.name] end
  end
  self.sparse = false
  rawset(self, "key", categorical.key_of(self, a.salt))
  rawset(self, "tokens", {})
  rawset(self, "given", a.vocabulary ~= nil)
  if a.vocabulary ~= nil then
    self:set_vocabulary(a.vocabulary, a.idf_weights)
  else
    -- of a file, whose vocabulary follows once the model stands
    rawset(self, "expected", math.tointeger(a.vocabulary_size))
    self:index_tokens()
  end
  self.built = true
end

local function has_mask(self) return self.mask_token ~= nil and self.output_mode == "int" end

local function first_oov(self) return has_mask(self) and 1 or 0 end

local function first_token(self) return first_oov(self) + self.num_oov_indices end

--- Number of indices: mask and slots for unknown tokens included.
function Lookup:vocabulary_size() return first_token(self) + #self.tokens end

--- The tokens by index; `include_special_tokens=false` leaves mask and unknown out.
---@return (string|integer)[]
function Lookup:get_vocabulary(include)
  if type(include) == "table" then
    local named = include.include_special_tokens
    if named == nil then named = include[1] end
    include = named
  end
  local out = {}
  if include ~= false then
    if has_mask(self) then out[1] = self.mask_token end
    for _ = 1, self.num_oov_indices do out[#out + 1] = self.oov_token end
  end
  return table.move(self.tokens, 1, #self.tokens, #out + 1, out)
end

-- token -> index, and what the op of integers needs.
function Lookup:index_tokens()
  local index, first = {}, first_token(self)
  for i, token in ipairs(self.tokens) do index[token] = first + i - 1 end
  rawset(self, "index", index)
  self:index_changed(index)
end

function Lookup.index_changed() end

-- vocabularies ------------------------------------------------------------------------------------

local function read_lines(path, where)
  local file, why = io.open(path, "rb")
  if not file then err.raise("%s: vocabulary: %s", where, why) end
  local list = {}
  for line in file:lines() do list[#list + 1] = (line:gsub("\r$", "")) end
  file:close()
  return list
end

local function as_list(self, vocabulary)
  if type(vocabulary) == "string" then
    vocabulary = read_lines(vocabulary, self.class_name)
  elseif core.is_tensor(vocabulary) then
    vocabulary = core.totable(vocabulary)
  end
  err.check(type(vocabulary) == "table", "%s: vocabulary is %s, expected a list of tokens",
    self.class_name, err.show(vocabulary))
  local out = {}
  for i, token in ipairs(vocabulary) do out[i] = self:as_token(token, "vocabulary") end
  return out
end

local function starts_with_specials(self, list)
  local first = first_token(self)
  if first == 0 or #list < first then return false end
  for i = 1, first do
    local special = has_mask(self) and i == 1 and self.mask_token or self.oov_token
    if list[i] ~= special then return false end
  end
  return true
end

local function check_tokens(self, tokens)
  local seen, name = {}, self.class_name
  for _, token in ipairs(tokens) do
    if seen[token] then err.raise("%s: vocabulary holds '%s' twice", name, tostring(token)) end
    seen[token] = true
  end
  if self.mask_token ~= nil and seen[self.mask_token] then
    err.raise("%s: vocabulary holds the mask token '%s'", name, tostring(self.mask_token))
  end
  if self.oov_token ~= nil and seen[self.oov_token] then
    err.raise("%s: vocabulary holds the token '%s' of unknown words", name,
      tostring(self.oov_token))
  end
  local size = #tokens + first_token(self)
  if self.max_tokens and size > self.max_tokens then
    err.raise("%s: the vocabulary has %d tokens, max_tokens is %d", name, size, self.max_tokens)
  end
end

-- Weights by index: slots for unknown tokens get the mean, padding 0.
local function pad_weights(self, weights, slots)
  local sum, out = 0, {}
  for _, w in ipairs(weights) do sum = sum + w end
  for i = 1, slots do out[i] = #weights > 0 and sum / #weights or 1 end
  table.move(weights, 1, #weights, #out + 1, out)
  for i = #out + 1, self.pad_to_max_tokens and self.max_tokens or 0 do out[i] = 0 end
  return out
end

--- Sets the tokens, with or without mask and unknown in front; tf_idf wants idf_weights too.
---@param vocabulary (string|integer)[]|string a list, or the path of a file with a token a line
---@param idf_weights number[]?
function Lookup:set_vocabulary(vocabulary, idf_weights)
  if args.is_record(vocabulary) and vocabulary.vocabulary ~= nil then
    vocabulary, idf_weights = vocabulary.vocabulary, vocabulary.idf_weights
  end
  local list = as_list(self, vocabulary)
  local special, first = starts_with_specials(self, list), first_token(self)
  local tokens = special and table.move(list, first + 1, #list, 1, {}) or list
  check_tokens(self, tokens)
  if self.output_mode == "tf_idf" then
    if core.is_tensor(idf_weights) then idf_weights = core.totable(idf_weights) end
    err.check(type(idf_weights) == "table", "%s: output_mode 'tf_idf' needs idf_weights",
      self.class_name)
    if #idf_weights ~= #list then
      err.raise("%s: %d idf_weights, the vocabulary has %d tokens", self.class_name, #idf_weights,
        #list)
    end
    rawset(self, "weights_by_index", pad_weights(self, idf_weights, special and 0 or first))
  elseif idf_weights ~= nil then
    err.raise("%s: idf_weights need output_mode 'tf_idf', got '%s'", self.class_name,
      self.output_mode)
  end
  rawset(self, "tokens", tokens)
  self:index_tokens()
end

-- adapting ----------------------------------------------------------------------------------------

-- Counts occurrences and the documents (rows) that hold a token.
local function count_row(self, row, state)
  local seen = {}
  for _, value in ipairs(row) do
    local token = self:as_token(value, "adapt")
    state.count[token] = (state.count[token] or 0) + 1
    if not seen[token] then
      seen[token] = true
      state.documents_with[token] = (state.documents_with[token] or 0) + 1
    end
  end
  state.documents = state.documents + 1
end

local function count_batch(self, batch, state)
  if core.is_tensor(batch) then batch = core.totable(batch) end
  if type(batch) ~= "table" then batch = {batch} end
  for _, row in ipairs(batch) do
    count_row(self, type(row) == "table" and (categorical.flatten(row, "adapt")) or {row}, state)
  end
end

local function most_frequent(self, count)
  local list = {}
  for token in pairs(count) do
    if token ~= self.mask_token and token ~= self.oov_token then list[#list + 1] = token end
  end
  table.sort(list, function(a, b)
    if count[a] ~= count[b] then return count[a] > count[b] end
    return a > b
  end)
  local room = self.max_tokens and math.max(self.max_tokens - first_token(self), 0) or #list
  return table.move(list, 1, math.min(room, #list), 1, {})
end

--- Counts the tokens of the data and makes them the vocabulary: the most frequent first, of equally
--- frequent ones the greater. Replaces what was there.
---@param data table|nn.Tensor a list or rows of tokens, or batches of them
function Lookup:adapt(data)
  if self.given then
    err.raise("%s: adapt cannot change a vocabulary that was given", self.class_name)
  end
  local state = {count = {}, documents_with = {}, documents = 0}
  categorical.each_batch(data, function(batch) count_batch(self, batch, state) end,
    self.class_name .. ": adapt")
  local tokens = most_frequent(self, state.count)
  rawset(self, "tokens", tokens)
  if self.output_mode == "tf_idf" then
    local weights = {}
    for i, token in ipairs(tokens) do
      weights[i] = math.log(1 + state.documents / (1 + state.documents_with[token]))
    end
    rawset(self, "weights_by_index", pad_weights(self, weights, first_token(self)))
  end
  self:index_tokens()
end

--- Forgets the vocabulary that adapt counted.
function Lookup:reset_state()
  if self.given then return end
  rawset(self, "tokens", {})
  self:index_tokens()
end

-- calls -------------------------------------------------------------------------------------------

local function is_awaited(self) return self.expected and #self.tokens == 0 end

local function depth_of(self)
  if self.pad_to_max_tokens then return self.max_tokens end
  return is_awaited(self) and self.expected or self:vocabulary_size()
end

local function weights_of(self, depth)
  if self.weights_by_index then return core.new(self.weights_by_index) end
  if is_awaited(self) then return core.full({depth}, 1) end
  return err.raise("%s: output_mode 'tf_idf' needs adapt or idf_weights first", self.class_name)
end

-- Indices to the output of the mode.
function Lookup:encode(indices)
  if self.output_mode == "int" then return indices end
  local depth = depth_of(self)
  if self.output_mode ~= "tf_idf" then
    return categorical.encode(indices, self.output_mode, depth, "int32")
  end
  local weights = weights_of(self, depth)
  return categorical.encode(indices, "count", depth, "float32") * weights
end

-- The slot of an unknown token, by its text.
function Lookup:unknown(token)
  local slots = self.num_oov_indices
  if slots == 0 then
    err.raise("%s: '%s' is not in the vocabulary", self.class_name, tostring(token))
  end
  local key = self.key or {}
  local slot = slots == 1 and 0 or core.hash_bin(tostring(token), slots, key[1], key[2])
  return first_oov(self) + slot
end

function Lookup:call_text(list, shape)
  if self.invert then
    err.raise("%s: got strings, expected indices (invert is true)", self.class_name)
  end
  local out = {}
  for i, value in ipairs(list) do
    local token = self:as_token(value, "call")
    if self.mask_token ~= nil and token == self.mask_token then
      out[i] = has_mask(self) and 0 or -1
    else
      out[i] = self.index[token] or self:unknown(token)
    end
  end
  return self:encode(categorical.integers(out, shape))
end

function Lookup:get_config()
  local config = Layer.get_config(self)
  local counted = #self.tokens > 0
  local whole = self.given or counted and require("nnlua.saving.objects").alone
  config.vocabulary = whole and self:get_vocabulary() or args.None
  config.vocabulary_size = counted and self:vocabulary_size() or args.None
  if self.output_mode == "tf_idf" and whole then -- without the padding
    config.idf_weights = table.move(self.weights_by_index, 1, #config.vocabulary, 1, {})
  end
  return config
end

-- In a .keras file a vocabulary that was counted stands beside the weights, as text. Files that
-- have no room for it hold it in the configuration.
function Lookup:save_assets()
  if self.given or #self.tokens == 0 then return {} end
  local lines = {}
  for i, token in ipairs(self:get_vocabulary()) do lines[i] = tostring(token) end
  return {["vocabulary.txt"] = table.concat(lines, "\n")}
end

--- read(name): the text of that name, nil when there is none.
function Lookup:load_assets(read)
  local text = not self.given and read "vocabulary.txt"
  if not text then
    err.check(not is_awaited(self), "layer '%s' (%s): the file does not hold its vocabulary",
      self.name, self.class_name)
    return
  end
  local list, ones = {}, {}
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do list[#list + 1] = line end
  while list[#list] == "" do list[#list] = nil end
  for i, line in ipairs(list) do
    if type(self.oov_token) == "number" then list[i] = math.tointeger(tonumber(line)) or line end
    ones[i] = 1
  end
  if #list > 0 then self:set_vocabulary(list, self.output_mode == "tf_idf" and ones or nil) end
  if self.expected and self.expected ~= self:vocabulary_size() then
    err.raise("layer '%s' (%s): the file holds a vocabulary of %d tokens, expected %d", self.name,
      self.class_name, self:vocabulary_size(), self.expected)
  end
end

--- Numbers that a file keeps beside the weights.
function Lookup:file_variables()
  if self.output_mode ~= "tf_idf" or not self.weights_by_index then return {} end
  return {idf_weights = core.new(self.weights_by_index, "float32")}
end

--- Reads them; gives a function that puts them in place.
function Lookup:load_file_variables(read)
  local weights = self.output_mode == "tf_idf" and read "idf_weights"
  if not weights then return nil end
  local n = self.weights_by_index and #self.weights_by_index or self:vocabulary_size()
  if weights.ndim ~= 1 or weights.size ~= n then
    err.raise("layer '%s' (%s): idf_weights are %s in the file, expected (%d)", self.name,
      self.class_name, shapes.text(weights.shape), n)
  end
  local list = core.totable(weights)
  return function() rawset(self, "weights_by_index", list) end
end

local extra = setmetatable({vocabulary_size = true}, {__index = Layer.extra_args})

-- IntegerLookup -----------------------------------------------------------------------------------

M.IntegerLookup = Lookup:extend("IntegerLookup", {
  args = [[max_tokens=None, num_oov_indices=1, mask_token=None, oov_token=-1, vocabulary=None,
    vocabulary_dtype="int64", idf_weights=None, invert=False, output_mode="int", sparse=False,
    pad_to_max_tokens=False, oov_method="floormod", salt=None, name=None]],
  extra_args = extra, input_dtype = "int32",
})

function M.IntegerLookup:as_token(value, where)
  local n = math.tointeger(value) or math.tointeger(tonumber(value))
  err.check(n, "IntegerLookup: %s holds %s, expected integers", where, err.show(value))
  return n
end

-- Sorted keys and their indices for the op; for invert the tokens by index.
function M.IntegerLookup:index_changed(index)
  local keys, places = {}, {}
  for token in pairs(index) do keys[#keys + 1] = token end
  if self.mask_token ~= nil then keys[#keys + 1] = self.mask_token end
  table.sort(keys)
  for i, token in ipairs(keys) do places[i] = index[token] or (has_mask(self) and 0 or -1) end
  rawset(self, "keys", categorical.integers(keys, {#keys}))
  rawset(self, "places", categorical.integers(places, {#places}))
  rawset(self, "by_index", nil)
end

local methods = {floormod = 0, farmhash = 1}

function M.IntegerLookup:call(x)
  if self.invert then return self:call_inverse(x) end
  local key = self.key or {}
  local method = self.key and 2 or methods[self.oov_method] or 0
  return self:encode(core.apply("vocabulary_index", {x, self.keys, self.places},
    {self.num_oov_indices, first_oov(self), method, key[1] or 0, key[2] or 0}))
end

function M.IntegerLookup:call_inverse(x)
  local tokens = self.by_index
  if not tokens then
    local list = self:get_vocabulary()
    list[#list + 1] = self.oov_token -- what is outside the vocabulary
    tokens = categorical.integers(list, {#list})
    rawset(self, "by_index", tokens)
  end
  local n = tokens.shape[1] - 1
  x = ops().cast(x, "int32")
  local inside = ops().logical_and(ops().greater_equal(x, 0), ops().less(x, n))
  local place = ops().where(inside, x, core.new(n, "int32"))
  return ops().take(tokens, ops().cast(place, "int32") + core.new(1, "int32"))
end

-- StringLookup ------------------------------------------------------------------------------------

M.StringLookup = Lookup:extend("StringLookup", {
  args = [[max_tokens=None, num_oov_indices=1, mask_token=None, oov_token="[UNK]", vocabulary=None,
    idf_weights=None, invert=False, output_mode="int", pad_to_max_tokens=False, sparse=False,
    encoding="utf-8", name=None, salt=None]],
  extra_args = setmetatable({oov_method = true}, {__index = extra}),
})

function M.StringLookup:as_token(value, where)
  if type(value) == "number" then return tostring(value) end
  if type(value) ~= "string" then
    err.raise("StringLookup: %s holds %s, expected strings", where, err.show(value))
  end
  return value
end

-- Numbers come only to an inverse lookup: gives nested tables of strings.
function M.StringLookup:call(x)
  if not self.invert then
    err.raise("StringLookup: got numbers, expected strings in Lua tables")
  end
  if core.is_traced(x) then
    err.raise("StringLookup: strings exist outside models alone; call the layer on the results")
  end
  local words, out = self:get_vocabulary(), {}
  local list = core.totable(core.reshape(core.astype(x, "int32"), {x.size}))
  for i, index in ipairs(list) do out[i] = words[index + 1] or self.oov_token end
  return categorical.nest(out, x.shape)
end

function M.StringLookup:get_config()
  local config = Lookup.get_config(self)
  config.oov_method = "floormod" -- what Keras wants to read, and nothing else is known
  return config
end

return M
