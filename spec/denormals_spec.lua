-- Numbers too small to be normal count as 0 while ops run, on every thread, and only there.

local nn = require "nnlua"

describe("numbers below the smallest normal one", function()
  local tiny = 2.0 ^ -100

  it("are 0 as results and as operands", function()
    local x = nn.tensor{tiny, -tiny, 1}
    assert.same({0, -0.0, 1}, (x * nn.tensor{tiny / 2 ^ 20, tiny / 2 ^ 20, 1}):totable())
    assert.same({2 ^ -126}, (nn.tensor{2.0 ^ -100} * 2.0 ^ -26):totable())
  end)

  it("are 0 on every thread", function()
    local threads = nn.config.get_num_threads()
    local x = nn.ops.full({1 << 20}, 2.0 ^ -80)
    for _, n in ipairs{1, 2, 4} do
      nn.config.set_num_threads(n)
      assert.equal(0, nn.ops.max(x * x):item())
    end
    nn.config.set_num_threads(threads)
  end)

  it("stay what they are for Lua", function()
    local smallest = 2.0 ^ -1060
    local _ = nn.tensor{1} * 2
    local model = nn.Sequential{nn.Input{shape = {2}}, nn.layers.Dense{1}}
    model:compile{optimizer = "adam", loss = "mse"}
    model:fit{nn.ones{8, 2}, nn.ones{8, 1}, epochs = 2, verbose = 0}
    model:predict(nn.ones{8, 2}, {verbose = 0})
    assert.is_true(smallest * 0.5 > 0)
  end)
end)
