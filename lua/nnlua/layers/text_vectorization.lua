-- TextVectorization: texts to rows of token indices, or to one row of counts a text. Standardizes,
-- splits, joins neighbours to n-grams, then looks tokens up.

local class = require "nnlua.class"
local categorical = require "nnlua.layers.categorical"
local err = require "nnlua.err"
local tree = require "nnlua.tree"
local Layer = require "nnlua.layers.layer"
local StringLookup = require("nnlua.layers.lookup").StringLookup

local TextVectorization = categorical.Preprocessing:extend("TextVectorization", {
  args = [[max_tokens=None, standardize="lower_and_strip_punctuation", split="whitespace",
    ngrams=None, output_mode="int", output_sequence_length=None, pad_to_max_tokens=False,
    vocabulary=None, idf_weights=None, sparse=False, ragged=False, encoding="utf-8", name=None]],
  extra_args = setmetatable({vocabulary_size = true}, {__index = Layer.extra_args}), -- in files
})

local PUNCTUATION = "[!\"#$%%&%(%)%*%+,%-%./:;<=>%?@%[\\%]%^_`{|}~']"

local standardizers = {
  lower = string.lower,
  strip_punctuation = function(s) return (s:gsub(PUNCTUATION, "")) end,
  lower_and_strip_punctuation = function(s) return (s:lower():gsub(PUNCTUATION, "")) end,
}

local function words(s)
  local out = {}
  for word in s:gmatch "%S+" do out[#out + 1] = word end
  return out
end

local function characters(s)
  local out = {}
  for _, code in utf8.codes(s) do out[#out + 1] = utf8.char(code) end
  return out
end

local splitters = {whitespace = words, character = characters}

local function choice(name, value, known)
  if value == nil or type(value) == "function" then return value end
  local fn = known[value]
  if not fn then
    err.raise("TextVectorization: unknown %s '%s', expected %s or a function", name,
      tostring(value), table.concat(tree.keys(known), ", "))
  end
  return fn
end

local function widths_of(ngrams)
  if ngrams == nil then return nil end
  if type(ngrams) == "table" then return ngrams end
  if math.tointeger(ngrams) == nil or ngrams < 1 then
    err.raise("TextVectorization: ngrams is %s, expected an integer above 0 or a list",
      err.show(ngrams))
  end
  local list = {}
  for n = 1, ngrams do list[n] = n end
  return list
end

function TextVectorization:init(a)
  categorical.check_mode("TextVectorization", a.output_mode, "tf_idf")
  err.check(not a.sparse and not a.ragged,
    "TextVectorization: sparse and ragged tensors are not supported")
  if a.output_sequence_length ~= nil and a.output_mode ~= "int" then
    err.raise("TextVectorization: output_sequence_length needs output_mode 'int', got '%s'",
      a.output_mode)
  end
  Layer.init(self, a)
  for _, entry in ipairs(self.signature) do
    if entry.name ~= "name" and entry.name ~= "vocabulary" then self[entry.name] = a[entry.name] end
  end
  rawset(self, "clean", choice("standardize", a.standardize, standardizers))
  rawset(self, "cut", choice("split", a.split, splitters))
  rawset(self, "widths", widths_of(a.ngrams))
  rawset(self, "given", a.vocabulary ~= nil)
  rawset(self, "lookup", StringLookup{max_tokens = a.max_tokens, vocabulary = a.vocabulary,
    idf_weights = a.idf_weights, mask_token = "", output_mode = a.output_mode,
    pad_to_max_tokens = a.pad_to_max_tokens, name = self.name .. "_lookup"})
  self.built = true
end

local function joined(tokens, widths)
  local out = {}
  for _, n in ipairs(widths) do
    for i = 1, #tokens - n + 1 do out[#out + 1] = table.concat(tokens, " ", i, i + n - 1) end
  end
  return out
end

--- The tokens of one text.
function TextVectorization:tokens_of(text)
  if type(text) == "table" then text = text[1] end -- rows of one text
  if type(text) ~= "string" then
    err.raise("TextVectorization: got %s, expected a string", err.show(text))
  end
  if self.clean then text = self.clean(text) end
  local tokens = self.cut and self.cut(text) or {text}
  return self.widths and joined(tokens, self.widths) or tokens
end

local function rows_of(self, texts)
  local rows = {}
  if type(texts) == "string" then texts = {texts} end
  for i, text in ipairs(texts) do rows[i] = self:tokens_of(text) end
  return rows
end

--- Counts the tokens of the texts and makes them the vocabulary.
function TextVectorization:adapt(data)
  if class.is(data, require("nnlua.data").Dataset) or type(data) == "function" then
    local rows = {}
    categorical.each_batch(data, function(batch)
      for _, row in ipairs(rows_of(self, batch)) do rows[#rows + 1] = row end
    end, "TextVectorization: adapt")
    return self.lookup:adapt(rows)
  end
  self.lookup:adapt(rows_of(self, data))
end

function TextVectorization:get_vocabulary(include) return self.lookup:get_vocabulary(include) end

function TextVectorization:set_vocabulary(vocabulary, idf_weights)
  self.lookup:set_vocabulary(vocabulary, idf_weights)
end

function TextVectorization:vocabulary_size() return self.lookup:vocabulary_size() end

function TextVectorization:call_text(list, shape)
  local rows, longest = rows_of(self, list), 0
  for _, row in ipairs(rows) do longest = math.max(longest, #row) end
  local length = self.output_sequence_length or math.max(longest, 1)
  local flat = {}
  for _, row in ipairs(rows) do
    for i = 1, length do flat[#flat + 1] = row[i] or "" end
  end
  local one = #shape == 0
  return self.lookup:call_text(flat, one and {length} or {#rows, length})
end

--- A vocabulary that was given goes into files; a counted one does not.
function TextVectorization:get_config()
  local config, lookup = Layer.get_config(self), self.lookup:get_config()
  for _, key in ipairs{"vocabulary", "idf_weights", "vocabulary_size"} do
    config[key] = lookup[key]
  end
  return config
end

function TextVectorization.call()
  err.raise("TextVectorization: got numbers, expected strings in Lua tables")
end

return TextVectorization
