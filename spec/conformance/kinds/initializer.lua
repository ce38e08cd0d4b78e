-- An initializer: exact values, the statistics of one draw, or orthogonality; and that the same
-- seed gives the same numbers.

local nn = require "nnlua"
local core = require "nnlua.core"
local values = require "spec.conformance.values"

local function flat(t) return core.totable(core.reshape(t, {t.size})) end

local function statistics(list)
  local sum, squares, low, high = 0, 0, math.huge, -math.huge
  for _, x in ipairs(list) do
    sum, low, high = sum + x, math.min(low, x), math.max(high, x)
  end
  local mean = sum / #list
  for _, x in ipairs(list) do squares = squares + (x - mean) ^ 2 end
  return mean, math.sqrt(squares / #list), low, high
end

local function check_draw(t, want, tolerance)
  local mean, std, low, high = statistics(flat(t))
  if math.abs(mean - want.mean) > want.mean_tolerance then
    return ("mean is %.6g, expected %.6g"):format(mean, want.mean)
  elseif math.abs(std - want.stddev) > want.stddev_tolerance then
    return ("standard deviation is %.6g, expected %.6g"):format(std, want.stddev)
  end
  local lo, hi = values.number(want.min_bound), values.number(want.max_bound)
  if type(lo) == "number" and low < lo - tolerance.atol then
    return ("smallest is %.6g, expected %.6g or more"):format(low, lo)
  elseif type(hi) == "number" and high > hi + tolerance.atol then
    return ("largest is %.6g, expected %.6g or less"):format(high, hi)
  end
end

local function check_orthogonal(t, gain, tolerance)
  local list, s = flat(t), t.shape
  local columns = s[#s]
  local rows = #list // columns
  local n, m = math.min(rows, columns), math.max(rows, columns)
  local function at(i, k) -- number k of the i-th of the short side
    if rows >= columns then return list[(k - 1) * columns + i] end
    return list[(i - 1) * columns + k]
  end
  for i = 1, n do
    for j = 1, n do
      local sum = 0
      for k = 1, m do sum = sum + at(i, k) * at(j, k) end
      local want = i == j and gain * gain or 0
      if math.abs(sum - want) > math.max(tolerance.atol, 1e-6) * 10 then
        return ("product (%d, %d) is %.7g, expected %.7g"):format(i, j, sum, want)
      end
    end
  end
end

local function same(a, b)
  a, b = flat(a), flat(b)
  for i = 1, #a do if a[i] ~= b[i] then return false end end
  return true
end

local function make(case, seed)
  local config = values.config(case.config)
  if case.name == "identifier" then return nn.initializers.get(config.identifier) end
  local cls = nn.initializers[case.name]
  if not cls then return nil end
  if seed then config.seed = seed end
  return cls(config)
end

local function check_seeds(case, shape)
  local a, b, c = make(case, 11)(shape), make(case, 11)(shape), make(case, 12)(shape)
  if not same(a, b) then return "two draws with one seed differ" end
  if same(a, c) then return "two draws with two seeds are equal" end
end

return function(case)
  nn.set_random_seed(1)
  local initializer = make(case)
  if not initializer then return nil, ("no keras.initializers.%s yet"):format(case.name) end
  local shape, want = case.inputs.shape, case.expected
  local t = initializer(shape, "float32")
  if want.value then
    local d = values.differs(t, want.value, case.tolerance)
    return d and "expected.value: " .. d
  end
  local failure
  if want.property then
    failure = check_orthogonal(t, want.gain, case.tolerance)
  else
    failure = check_draw(t, want, case.tolerance)
  end
  return failure or case.name ~= "identifier" and check_seeds(case, shape) or nil
end
