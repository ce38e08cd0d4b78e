-- Boston and California housing from Keras's .npz: rows mixed by NumPy's RandomState(seed), the
-- last part for testing, so that the parts are Keras's to the row.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local files = require "nnlua.datasets.files"

-- The Mersenne Twister (M. Matsumoto, T. Nishimura, 1998), as RandomState seeds it.
local function twister(seed)
  local key, at = {}, 624
  seed = seed & 0xffffffff
  for i = 0, 623 do
    key[i] = seed
    seed = (1812433253 * (seed ~ (seed >> 30)) + i + 1) & 0xffffffff
  end
  local function refill()
    for i = 0, 623 do
      local y = (key[i] & 0x80000000) | (key[(i + 1) % 624] & 0x7fffffff)
      key[i] = key[(i + 397) % 624] ~ (y >> 1) ~ (y & 1 == 1 and 0x9908b0df or 0)
    end
    at = 0
  end
  return function()
    if at == 624 then refill() end
    local y = key[at]
    at = at + 1
    y = y ~ (y >> 11)
    y = y ~ ((y << 7) & 0x9d2c5680)
    y = y ~ ((y << 15) & 0xefc60000)
    return y ~ (y >> 18)
  end
end

-- The numbers 0 .. n - 1 in the order of RandomState(seed).shuffle.
local function shuffled(n, seed)
  local draw, list = twister(seed), {}
  for i = 0, n - 1 do list[i + 1] = i end
  for i = n - 1, 1, -1 do
    local mask = i
    for _, by in ipairs {1, 2, 4, 8, 16} do mask = mask | (mask >> by) end
    local j = draw() & mask
    while j > i do j = draw() & mask end
    list[i + 1], list[j + 1] = list[j + 1], list[i + 1]
  end
  return core.new(list, "int32")
end

local function take(t, order, a, b)
  return core.apply("take", {t, core.view(order, {{a, b}})}, {0, 0})
end

local function check(name, test_split)
  if type(test_split) ~= "number" or test_split < 0 or test_split >= 1 then
    err.raise("%s: test_split is %s, expected 0 to below 1", name, err.show(test_split))
  end
end

local function parts(x, y, test_split, seed)
  local n = #x
  local order = shuffled(n, seed)
  local cut = math.floor(n * (1 - test_split))
  return {take(x, order, 1, cut), take(y, order, 1, cut)},
    {take(x, order, cut + 1, n), take(y, order, cut + 1, n)}
end

local wanted = "a .npz with the arrays x and y, as Keras downloads it"

local housing = {}

--- 506 rows of 13 columns, prices in thousands: {x_train, y_train}, {x_test, y_test}.
housing.boston_housing = args.fn("boston_housing", "path=None, test_split=0.2, seed=113",
  function(path, test_split, seed)
    check("boston_housing", test_split)
    local at = files.find("boston_housing", path, {"boston_housing.npz"}, wanted)
    local x, y = files.arrays("boston_housing", at, {"x", "y"})
    return parts(x, y, test_split, seed)
  end)

--- 20640 rows of 8 columns (version "small": the first 600), prices in dollars.
housing.california_housing = args.fn("california_housing",
  'version="large", path=None, test_split=0.2, seed=113',
  function(version, path, test_split, seed)
    if version ~= "large" and version ~= "small" then
      err.raise("california_housing: version is %s, expected large or small", tostring(version))
    end
    check("california_housing", test_split)
    local at = files.find("california_housing", path, {"california_housing.npz"}, wanted)
    local x, y = files.arrays("california_housing", at, {"x", "y"})
    if version == "small" and #x > 600 then
      x, y = core.view(x, {{1, 600}}), core.view(y, {{1, 600}})
    end
    return parts(x, y, test_split, seed)
  end)

housing.shuffled = shuffled

return housing
