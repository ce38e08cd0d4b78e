-- nn.random: moments, bounds, and what repeats.

local nn = require "nnlua"
local failure = require "spec.support.failure"
local core = require "nnlua.core"

local random, ops = nn.random, nn.ops

local function moments(t)
  return ops.mean(t):item(), ops.std(t):item()
end

local function close(want, got, tolerance)
  assert.is_true(math.abs(want - got) <= tolerance, ("%g, expected %g"):format(got, want))
end

local function bytes(t) return core.tobytes(t) end

describe("nn.random", function()
  -- 40,000 draws: five standard errors of the mean are 0.025 standard deviations.
  local n = 40000

  it("draws uniform numbers", function()
    local x = random.uniform{{n}, minval = -2, maxval = 4, seed = 1}
    local mean, std = moments(x)
    close(1, mean, 0.05)
    close(math.sqrt(3), std, 0.03)
    assert.is_true(ops.min(x):item() >= -2 and ops.max(x):item() < 4)
  end)

  it("draws normal numbers, cut or whole", function()
    local mean, std = moments(random.normal{{n}, mean = 3, stddev = 2, seed = 1})
    close(3, mean, 0.05)
    close(2, std, 0.04)
    local cut = random.truncated_normal{{n}, mean = 3, stddev = 2, seed = 1}
    mean, std = moments(cut)
    close(3, mean, 0.05)
    close(2 * 0.8796, std, 0.04)
    assert.is_true(ops.min(cut):item() >= -1 and ops.max(cut):item() <= 7)
  end)

  it("draws integers", function()
    local x = random.randint({n}, 2, 6, {seed = 3})
    assert.equal("int32", x.dtype)
    local counts = core.totable(ops.bincount(x))
    for k = 3, 6 do close(n / 4, counts[k], 5 * math.sqrt(n * 3 / 16)) end
    assert.equal(6, #counts)
  end)

  it("draws gamma, beta and binomial numbers", function()
    for _, alpha in ipairs {0.5, 3} do
      local mean, std = moments(random.gamma{{4000}, alpha, seed = 5})
      close(alpha, mean, 5 * math.sqrt(alpha / 4000))
      close(math.sqrt(alpha), std, 0.15)
    end
    close(0.4, (moments(random.beta{{4000}, 2, 3, seed = 5})), 5 * 0.2 / 63)
    close(3, (moments(random.binomial{{4000}, 10, 0.3, seed = 5})), 5 * 1.45 / 63)
  end)

  it("draws classes by their logits", function()
    local ids = random.categorical(nn.tensor{{math.log(0.2), math.log(0.8)}}, 10000, {seed = 2})
    assert.same({1, 10000}, ids.shape)
    close(0.8, ops.mean(ops.cast(ids, "float32")):item(), 0.02)
  end)

  it("shuffles rows or columns", function()
    local x = nn.ops.reshape(nn.arange(12), {4, 3})
    local y = random.shuffle(x, {seed = 4})
    assert.same(core.totable(x), core.totable(ops.sort(y, {axis = 1})))
    assert.same(core.totable(x), core.totable(ops.sort(random.shuffle(x, {axis = 2, seed = 4}))))
  end)

  it("drops and scales", function()
    local y = random.dropout(nn.ones{n}, 0.25, {seed = 6})
    local kept = ops.count_nonzero(y):item()
    close(0.75, kept / n, 0.012)
    close(4 / 3, ops.max(y):item(), 1e-6)
    local rows = random.dropout(nn.ones{50, 4}, 0.5, {noise_shape = {50, 1}, seed = 6})
    assert.same(core.totable(ops.min(rows, 2)), core.totable(ops.max(rows, 2)))
  end)

  it("repeats with a seed, not without, and again after set_random_seed", function()
    local function draw(seed) return bytes(random.normal{{5}, seed = seed}) end
    assert.equal(draw(1), draw(1))
    assert.not_equal(draw(1), draw(2))
    assert.not_equal(draw(), draw())
    nn.set_random_seed(9)
    local a, b = draw(), draw()
    nn.set_random_seed(9)
    assert.equal(a, draw())
    assert.equal(b, draw())
    assert.not_equal(a, b)
  end)

  it("a SeedGenerator gives new numbers at each call, the same from each start", function()
    local g, h = random.SeedGenerator(5), random.SeedGenerator{seed = 5}
    local a, b = bytes(random.uniform{{4}, seed = g}), bytes(random.uniform{{4}, seed = g})
    assert.not_equal(a, b)
    assert.equal(a, bytes(random.uniform{{4}, seed = h}))
    assert.equal(b, bytes(random.uniform{{4}, seed = h}))
  end)

  it("draws anew at every run of a plan, but for an integer seed", function()
    local function values(seed)
      local x = core.mark_variable(nn.zeros{4})
      local graph = core.record "trace"
      local y = x + random.uniform{{4}, seed = seed}
      core.done(graph)
      local plan = core.plan(graph, {outputs = {y}})
      plan:forward()
      return bytes(plan:output(1)), plan
    end
    assert.equal((values(3)), (values(3)))
    assert.equal((values(3)), bytes(random.uniform{{4}, seed = 3}))
  end)

  it("draws and takes the same with any number of threads", function()
    local function all()
      local x = random.normal{{300, 401}, seed = 8}
      local u = random.truncated_normal{{100001}, seed = 8}
      local rows = ops.take(x, random.randint({200}, 1, 301, {seed = 1}), 1)
      return bytes(x) .. bytes(u) .. bytes(rows)
    end
    local before = nn.config.get_num_threads()
    nn.config.set_num_threads(1)
    local one = all()
    nn.config.set_num_threads(3)
    assert.is_true(one == all())
    nn.config.set_num_threads(before)
  end)

  it("tells what is wrong", function()
    local raises = failure.says
    raises("randint: minval is 3 and maxval 3, expected more", random.randint, {2}, 3, 3)
    raises("uniform: dtype is 'uint8', expected float32", random.uniform, {2}, {dtype = "uint8"})
    raises("normal: seed is a string, expected an integer", random.normal, {2}, {seed = "x"})
    raises("dropout: rate is 2, expected 0 to 1", random.dropout, nn.ones(2), 2)
    raises("gamma: alpha is 0, expected above 0", random.gamma, {2}, 0)
  end)
end)
