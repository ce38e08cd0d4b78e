-- The first example's training from 20 seeds against 20 runs of Keras: equal means, and the runs
-- inside Keras's interval. It holds 99 of 100 runs, so one of twenty may miss it.

local nn = require "nnlua"
local json = require "spec.support.json"

local function target()
  local file = io.open "../shared/data/targets.json"
  if not file then return nil end
  local all = json.decode(file:read "a").targets
  file:close()
  for _, t in ipairs(all) do if t.name == "telco-blog" then return t end end
end

local function data()
  local customers = nn.data.csv "examples/data/wa-churn.csv"
  local answers = customers:select{"churn"}:one_hot{binary = false}
  local features = customers:drop{"churn", "phone_service"}:one_hot()
  local function validates(row) return row % 5 == 0 end
  local function trains(row) return row % 5 ~= 0 end
  local train = features:rows(trains):standardize()
  local test = features:rows(validates):standardize{like = train}
  return train:tensor(), answers:rows(trains):tensor(), test:tensor(),
    answers:rows(validates):tensor()
end

local function train(seed, x, y, x_test, y_test)
  nn.set_random_seed(seed)
  local model = nn.Sequential{
    nn.layers.Dense{5, activation = "relu", input_shape = {39}},
    nn.layers.Dense{5, activation = "relu"},
    nn.layers.Dense{2, activation = "softmax"},
  }
  model:compile{optimizer = "adam", loss = "categorical_crossentropy", metrics = {"accuracy"}}
  return model:fit{x, y, epochs = 10, batch_size = 32, shuffle = true, verbose = 0,
    validation_data = {x_test, y_test}}.history
end

it("twenty seeds of the first example reach what Keras reaches", function()
  local wanted = target()
  if not wanted then return pending "skipped: no ../shared" end
  local x, y, x_test, y_test = data()
  local sums, outside, count = {}, {}, {}
  for _, seed in ipairs(wanted.seeds) do
    local h = train(seed, x, y, x_test, y_test)
    for name, result in pairs(wanted.results) do
      local value, low, high = h[name][10], result.interval[1], result.interval[2]
      sums[name] = (sums[name] or 0) + value
      if value < low or value > high then
        outside[name] = (outside[name] or "") .. (" %.5f (seed %d)"):format(value, seed)
        count[name] = (count[name] or 0) + 1
      end
    end
  end
  for name, result in pairs(wanted.results) do
    assert.is_true((count[name] or 0) <= 1, ("%s: outside %.5f to %.5f are%s"):format(name,
      result.interval[1], result.interval[2], outside[name] or ""))
    local mean = sums[name] / #wanted.seeds
    local least = 4 * result.sd * math.sqrt(2 / result.n) -- four standard errors of the difference
    assert.is_true(math.abs(mean - result.mean) <= least,
      ("the mean of %s is %.5f, Keras's %.5f"):format(name, mean, result.mean))
  end
end)
