-- nn.data.Dataset: a lazy sequence of elements, batched or not, that fit, evaluate and predict
-- take.
--
-- An element is {x}, {x, y} or {x, y, sample_weight}; x and y are tensors (or lists or tables of
-- them). Every step gives a new data set; nothing is read before it is iterated, and every pass
-- starts anew. Rows of tensors stay tensors and an order of row numbers until `batch`, which then
-- gathers a batch in one call; `map` and iterators go element by element.

local core = require "nnlua.core"
local class = require "nnlua.class"
local data = require "nnlua.trainer.data"
local err = require "nnlua.err"
local seed = require "nnlua.seed"
local tree = require "nnlua.tree"

---@class nn.data.Dataset
---@field count integer? number of elements; nil when it is not known
---@field batched boolean elements are batches
local Dataset = class.new("Dataset", {})

-- The rows of t with these numbers (from 0).
local function take_rows(t, numbers) return core.apply("take", {t, numbers}, {0, 0}) end

-- make(): an iterator function of elements. rows: {x, y, w}, order() gives int32 row numbers from 0
-- or nil for all in order. from: {parent, method, argument}, so that a fixed copy can be made.
function Dataset:init(make, options)
  for key, v in pairs(options) do rawset(self, key, v) end
  rawset(self, "make", make)
  rawset(self, "batched", options.batched or false)
end

local function from_rows(rows, order, count, from)
  return Dataset(function()
    local i, numbers = 0, order()
    return function()
      i = i + 1
      if i > count then return nil end
      local at = numbers and numbers[i] + 1 or i
      local function row(t) return core.astype(t[at]) end
      local function cell(t) return t.ndim > 1 and row(t) or core.new(t[at], t.dtype) end
      return {tree.map(cell, rows[1]), tree.map(cell, rows[2]), tree.map(cell, rows[3])}
    end
  end, {count = count, rows = rows, order = order, from = from})
end

--- A data set of the rows of tensors: from_tensors{x, y, sample_weight}.
---@param parts table|nn.Tensor {x, y, sample_weight}
---@return nn.data.Dataset
function Dataset.from_tensors(parts)
  if core.is_tensor(parts) then parts = {parts} end
  err.check(type(parts) == "table", "from_tensors: expected {x, y}, got %s", err.show(parts))
  local x = data.tensors(parts.x or parts[1], "Dataset", "x")
  local y = data.tensors(parts.y or parts[2], "Dataset", "y")
  local w = data.tensors(parts.sample_weight or parts[3], "Dataset", "sample_weight")
  err.check(x ~= nil, "Dataset: x is missing")
  local count = data.check_rows("Dataset", x, y, w)
  return from_rows({x, y, w}, function() end, count)
end

--- A data set of what f() gives: f is called at each pass and returns an iterator (a function that
--- returns x, y, sample_weight, and nil at the end). With `batched=true` the elements are batches;
--- `count` says how many there are.
---@param f fun(): fun(): any, any, any
---@param options {batched: boolean?, count: integer?}?
---@return nn.data.Dataset
function Dataset.from_iterator(f, options)
  err.check(type(f) == "function", "from_iterator: expected a function, got %s", err.show(f))
  options = options or {}
  return Dataset(function()
    local next_element = f()
    err.check(type(next_element) == "function",
      "from_iterator: the function returned %s, expected an iterator", err.show(next_element))
    return function()
      local x, y, w = next_element()
      if x == nil then return nil end
      return {x, y, w}
    end
  end, {count = options.count, batched = options.batched})
end

--- Number of elements (batches after `batch`), nil when it is not known.
---@return integer?
function Dataset:cardinality() return self.count end

local function check_count(where, n)
  if math.tointeger(n) == nil or n < 0 then
    err.raise("%s: n is %s, expected an integer of 0 or more", where, err.show(n))
  end
end

-- batches ----------------------------------------------------------------------------------------

-- One element of tensors with a batch axis from a list of elements.
local function stack(list)
  local out = {}
  for part = 1, 3 do
    if list[1][part] ~= nil then
      local flat = {}
      for i, e in ipairs(list) do
        for k, leaf in ipairs(tree.flatten(e[part])) do
          flat[k] = flat[k] or {}
          flat[k][i] = core.is_tensor(leaf) and leaf or core.new(leaf)
        end
      end
      for k, tensors in ipairs(flat) do flat[k] = core.new(tensors, tensors[1].dtype) end
      out[part] = tree.pack(list[1][part], flat)
    end
  end
  return out
end

-- Rows a .. b of a data set of rows: views where they lie in order, else gathered.
local function gather(rows, numbers, a, b)
  local function part(t)
    if not numbers then return core.view(t, {{a, b}}) end
    return take_rows(t, core.view(numbers, {{a, b}}))
  end
  return {tree.map(part, rows[1]), tree.map(part, rows[2]), tree.map(part, rows[3])}
end

local function batches_of_rows(self, n, count)
  return function()
    local i, numbers = 0, self.order()
    return function()
      i = i + 1
      if i > count then return nil end
      return gather(self.rows, numbers, (i - 1) * n + 1, math.min(i * n, self.count))
    end
  end
end

local function batches_of_elements(self, n, drop)
  return function()
    local next_element = self.make()
    return function()
      local list = {}
      while #list < n do
        local e = next_element()
        if e == nil then break end
        list[#list + 1] = e
      end
      if #list == 0 or (drop and #list < n) then return nil end
      return stack(list)
    end
  end
end

--- Batches of n elements; the last may be short (drop_remainder=true leaves it out).
---@param n integer|{[1]: integer, drop_remainder: boolean?}
---@param options {drop_remainder: boolean?}?
---@return nn.data.Dataset
function Dataset:batch(n, options)
  if type(n) == "table" then n, options = n.batch_size or n[1], n end
  if math.tointeger(n) == nil or n < 1 then
    err.raise("batch: n is %s, expected an integer above 0", err.show(n))
  end
  err.check(not self.batched, "batch: the data set is batched already")
  local drop = options and options.drop_remainder or false
  local count = self.count and (drop and self.count // n or -(-self.count // n))
  return Dataset(self.rows and batches_of_rows(self, n, count)
    or batches_of_elements(self, n, drop), {count = count, batched = true,
    from = {self, "batch", {n, drop_remainder = drop}}})
end

-- order ------------------------------------------------------------------------------------------

-- Numbers below n, one after the other, from blocks of random ones.
local function drawer(key, pass)
  local numbers, at, blocks = nil, 0, 0
  return function(n)
    if not numbers or at == #numbers then
      numbers, at = core.rng.randint({1024}, 0, 0x7fffffff, key, 3, pass * 65536 + blocks), 0
      blocks = blocks + 1
    end
    at = at + 1
    return numbers[at] % n + 1
  end
end

local function shuffled_elements(make, size, key, pass)
  local next_element, buffer, draw = make(), {}, drawer(key, pass)
  return function()
    while #buffer < size do
      local e = next_element()
      if e == nil then break end
      buffer[#buffer + 1] = e
    end
    if #buffer == 0 then return nil end
    local k = draw(#buffer)
    buffer[k], buffer[#buffer] = buffer[#buffer], buffer[k]
    return table.remove(buffer)
  end
end

local shuffle_keys = {true, buffer_size = true, seed = true, reshuffle_each_iteration = true}

local function check_shuffle(a, size)
  for key in pairs(a) do
    if not shuffle_keys[key] then
      err.raise("shuffle: unknown argument '%s'; expected buffer_size, seed or "
        .. "reshuffle_each_iteration", tostring(key))
    end
  end
  if math.tointeger(size) == nil or size < 1 then
    err.raise("shuffle: buffer_size is %s, expected an integer above 0", err.show(size))
  end
end

--- Elements in a random order, through a buffer of buffer_size (all, when the count is known). Each
--- pass has an order of its own unless reshuffle_each_iteration is false.
---@param a {buffer_size: integer?, seed: integer?, reshuffle_each_iteration: boolean?}|integer|nil
---@return nn.data.Dataset
function Dataset:shuffle(a)
  if type(a) ~= "table" then a = {buffer_size = a} end
  local size = a.buffer_size or a[1] or math.max(1, self.count or 1024)
  check_shuffle(a, size)
  local key, passes, again = a.seed or seed.next(), 0, a.reshuffle_each_iteration ~= false
  local function pass()
    if again then passes = passes + 1 end
    return math.max(1, passes)
  end
  local from = {self, "shuffle", {buffer_size = size, seed = key, reshuffle_each_iteration = false}}
  if self.rows and size >= self.count then
    return from_rows(self.rows, function()
      local numbers, base = core.rng.permutation(self.count, key, 3, pass()), self.order()
      return base and take_rows(base, numbers) or numbers
    end, self.count, from)
  end
  return Dataset(function() return shuffled_elements(self.make, size, key, pass()) end,
    {count = self.count, batched = self.batched, from = from})
end

-- The same data set with one order for all passes (that of the first).
local function fixed(self)
  local from = self.from
  if not from then return self end
  return Dataset[from[2]](fixed(from[1]), from[3])
end

-- Part of a data set of rows: rows a .. b of each pass's order.
local function part_of_rows(self, a, b, from)
  return from_rows(self.rows, function()
    local numbers = self.order() or core.arange(self.count, 0, 1, "int32")
    return core.view(numbers, {{a, b}})
  end, b - a + 1, from)
end

-- elements ---------------------------------------------------------------------------------------

--- Every element through f(x, y, sample_weight), which returns the new ones.
---@param f fun(x: any, y: any, sample_weight: any): any, any, any
---@return nn.data.Dataset
function Dataset:map(f)
  err.check(type(f) == "function", "map: expected a function, got %s", err.show(f))
  return Dataset(function()
    local next_element = self.make()
    return function()
      local e = next_element()
      if e == nil then return nil end
      local x, y, w = f(e[1], e[2], e[3])
      if x == nil then err.raise("map: the function returned nil, expected x (and y)") end
      return {x, y, w}
    end
  end, {count = self.count, batched = self.batched, from = {self, "map", f}})
end

--- The first n elements.
---@param n integer
---@return nn.data.Dataset
function Dataset:take(n)
  check_count("take", n)
  local from = {self, "take", n}
  if self.rows then return part_of_rows(self, 1, math.min(self.count, n), from) end
  return Dataset(function()
    local next_element, left = self.make(), n
    return function()
      if left == 0 then return nil end
      left = left - 1
      return next_element()
    end
  end, {count = self.count and math.min(self.count, n), batched = self.batched, from = from})
end

--- All but the first n elements.
---@param n integer
---@return nn.data.Dataset
function Dataset:skip(n)
  check_count("skip", n)
  local from = {self, "skip", n}
  if self.rows and n <= self.count then return part_of_rows(self, n + 1, self.count, from) end
  return Dataset(function()
    local next_element = self.make()
    for _ = 1, n do if next_element() == nil then return function() end end end
    return next_element
  end, {count = self.count and math.max(0, self.count - n), batched = self.batched, from = from})
end

--- The elements n times over; without n for ever (then fit needs steps_per_epoch).
---@param n integer?
---@return nn.data.Dataset
function Dataset:repeat_(n)
  if n ~= nil then check_count("repeat_", n) end
  return Dataset(function()
    local next_element, pass = nil, 0
    return function()
      local e = next_element and next_element()
      if e == nil and (not n or pass < n) then
        pass = pass + 1
        next_element = self.make()
        e = next_element()
      end
      return e
    end
  end, {count = n and self.count and self.count * n, batched = self.batched,
    from = {self, "repeat_", n}})
end

--- Data sets of consecutive parts: split{0.8, 0.2}. The fractions add up to 1 at most. Of a
--- shuffled data set the parts share one order, so that they have no element in common.
---@param fractions number[]
---@return nn.data.Dataset ...
function Dataset:split(fractions)
  err.check(self.count, "split: the number of elements is not known")
  err.check(type(fractions) == "table" and #fractions > 0,
    "split: expected a list of fractions, got %s", err.show(fractions))
  local whole, parts, from, sum = fixed(self), {}, 0, 0
  for i, f in ipairs(fractions) do
    if type(f) ~= "number" or f <= 0 or f > 1 then
      err.raise("split: fraction %d is %s, expected above 0 to 1", i, err.show(f))
    end
    sum = sum + f
    local to = math.min(self.count, math.floor(self.count * sum + 0.5))
    parts[i] = whole:skip(from):take(to - from)
    from = to
  end
  err.check(sum <= 1 + 1e-9, "split: the fractions add up to %g, expected 1 at most", sum)
  return table.unpack(parts)
end

--- The data set with the order of its first pass for every pass, for parts that are taken of it.
---@return nn.data.Dataset
function Dataset:fixed() return fixed(self) end

--- An iterator of x, y, sample_weight: `for x, y in dataset:iterate() do`. Data sets that are not
--- batched give batches of one.
---@return fun(): any, any, any
function Dataset:iterate()
  local source = self.batched and self or self:batch(1)
  local next_element = source.make()
  return function()
    local e = next_element()
    if e == nil then return nil end
    return e[1], e[2], e[3]
  end
end

Dataset.__tostring = function(self)
  return ("<Dataset of %s %s>"):format(self.count or "an unknown number of",
    self.batched and "batches" or "elements")
end

return Dataset
