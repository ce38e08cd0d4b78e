-- nn.data.Dataset: a lazy sequence of elements, batched or not, that fit, evaluate and predict
-- take.
--
-- An element is {x}, {x, y} or {x, y, sample_weight}; x and y are tensors (or lists or tables of
-- them). Every step gives a new data set; nothing is read before it is iterated, and every pass
-- starts anew.

local core = require "nnlua.core"
local class = require "nnlua.class"
local data = require "nnlua.trainer.data"
local err = require "nnlua.err"
local seed = require "nnlua.seed"
local tree = require "nnlua.tree"

---@class nn.data.Dataset
local Dataset = class.new("Dataset", {})

--- make(): an iterator function of elements; count: elements if known; batched: elements are
--- batches.
function Dataset:init(make, count, batched)
  rawset(self, "make", make)
  rawset(self, "count", count)
  rawset(self, "batched", batched or false)
end

--- A data set of the rows of tensors: from_tensors{x, y, sample_weight}.
---@param parts table {x, y, sample_weight}
function Dataset.from_tensors(parts)
  if core.is_tensor(parts) then parts = {parts} end
  local x = data.tensors(parts.x or parts[1], "Dataset", "x")
  local y = data.tensors(parts.y or parts[2], "Dataset", "y")
  local w = data.tensors(parts.sample_weight or parts[3], "Dataset", "sample_weight")
  local count = data.check_rows("Dataset", x, y, w)
  return Dataset(function()
    local i = 0
    return function()
      i = i + 1
      if i > count then return nil end
      local function row(t)
        local v = core.view(t, {{i, i}})
        local shape = t.shape
        return core.astype(core.reshape(v, {table.unpack(shape, 2)}))
      end
      return {tree.map(row, x), tree.map(row, y), tree.map(row, w)}
    end
  end, count)
end

--- A data set of what f() gives: f is called at each pass and returns an iterator (a function that
--- returns x, y, sample_weight, and nil at the end). With `batched=true` the elements are batches.
---@param f fun(): fun(): any, any, any
function Dataset.from_iterator(f, options)
  err.check(type(f) == "function", "from_iterator: expected a function, got %s", err.show(f))
  return Dataset(function()
    local next_element = f()
    err.check(type(next_element) == "function",
      "from_iterator: the function returned %s, expected an iterator", err.show(next_element))
    return function()
      local x, y, w = next_element()
      if x == nil then return nil end
      return {x, y, w}
    end
  end, options and options.count, options and options.batched)
end

--- Number of elements, nil when it is not known.
function Dataset:cardinality() return self.count end

local function check_count(where, n)
  if math.tointeger(n) == nil or n < 0 then
    err.raise("%s: n is %s, expected an integer of 0 or more", where, err.show(n))
  end
end

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

--- Batches of n elements; the last may be short (drop_remainder=true leaves it out).
function Dataset:batch(n, options)
  if type(n) == "table" then n, options = n[1], n end
  if math.tointeger(n) == nil or n < 1 then
    err.raise("batch: n is %s, expected an integer above 0", err.show(n))
  end
  local drop = options and options.drop_remainder
  local make = self.make
  local count = self.count and (drop and self.count // n or math.ceil(self.count / n))
  return Dataset(function()
    local next_element = make()
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
  end, count, true)
end

--- Elements in a random order, through a buffer of buffer_size (all, when the count is known).
---@param a {buffer_size: integer?, seed: integer?, reshuffle_each_iteration: boolean?}?
function Dataset:shuffle(a)
  a = a or {}
  if type(a) == "number" then a = {buffer_size = a} end
  local size = a.buffer_size or a[1] or self.count or 1024
  local key, pass, make = a.seed or seed.next(), 0, self.make
  return Dataset(function()
    if a.reshuffle_each_iteration ~= false then pass = pass + 1 end
    local next_element, buffer, draws = make(), {}, 0
    local numbers, at = nil, 0
    local function draw(n)
      if not numbers or at == #numbers then
        numbers, at = core.rng.randint({1024}, 0, 0x7fffffff, key, 3, pass * 65536 + draws), 0
        draws = draws + 1
      end
      at = at + 1
      return numbers[at] % n + 1
    end
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
  end, self.count, self.batched)
end

--- Every element through f(x, y, sample_weight), which returns the new ones.
function Dataset:map(f)
  local make = self.make
  return Dataset(function()
    local next_element = make()
    return function()
      local e = next_element()
      if e == nil then return nil end
      return {f(e[1], e[2], e[3])}
    end
  end, self.count, self.batched)
end

--- The first n elements.
function Dataset:take(n)
  check_count("take", n)
  local make = self.make
  return Dataset(function()
    local next_element, left = make(), n
    return function()
      if left == 0 then return nil end
      left = left - 1
      return next_element()
    end
  end, self.count and math.min(self.count, n) or nil, self.batched)
end

--- All but the first n elements.
function Dataset:skip(n)
  check_count("skip", n)
  local make = self.make
  return Dataset(function()
    local next_element = make()
    for _ = 1, n do if next_element() == nil then break end end
    return next_element
  end, self.count and math.max(0, self.count - n) or nil, self.batched)
end

--- The elements n times over; without n for ever (then fit needs steps_per_epoch).
function Dataset:repeat_(n)
  local make = self.make
  return Dataset(function()
    local next_element, pass = make(), 1
    return function()
      local e = next_element()
      if e == nil and (not n or pass < n) then
        pass = pass + 1
        next_element = make()
        e = next_element()
      end
      return e
    end
  end, n and self.count and self.count * n or nil, self.batched)
end

--- Data sets of consecutive parts: split{0.8, 0.2}. The fractions add up to 1 at most.
function Dataset:split(fractions)
  err.check(self.count, "split: the number of elements is not known")
  local parts, from, sum = {}, 0, 0
  for i, f in ipairs(fractions) do
    if type(f) ~= "number" or f <= 0 or f > 1 then
      err.raise("split: fraction %d is %s, expected above 0 to 1", i, err.show(f))
    end
    sum = sum + f
    local to = math.min(self.count, math.floor(self.count * sum + 0.5))
    parts[i] = self:skip(from):take(to - from)
    from = to
  end
  err.check(sum <= 1 + 1e-9, "split: the fractions add up to %g, expected 1 at most", sum)
  return table.unpack(parts)
end

--- An iterator of x, y, sample_weight: `for x, y in dataset:iterate() do`. Data sets that are not
--- batched give batches of one.
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
