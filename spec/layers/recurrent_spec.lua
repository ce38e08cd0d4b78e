-- Recurrent and attention layers beyond what the cases show: cells, stacked cells, kept states,
-- dropout, masks, training and saving.

local nn = require "nnlua"
local core = require "nnlua.core"
local mask = require "nnlua.mask"
local scratch = require "spec.support.scratch"

local function wave(shape)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  return core.reshape(nn.ops.sin(nn.ops.arange(1, n + 1) * 0.7), shape)
end

local function near(a, b, tolerance)
  local apart = nn.ops.max(nn.ops.abs(a - b)):item()
  assert.is_true(apart <= (tolerance or 1e-6), ("%g apart"):format(apart))
end

local function saved_and_loaded(model)
  local folder = scratch.make()
  finally(function() scratch.remove(folder) end)
  model:save(folder .. "/model.keras")
  return nn.models.load_model(folder .. "/model.keras")
end

describe("Cells", function()
  it("do step by step what the layer does", function()
    for _, name in ipairs {"SimpleRNN", "LSTM", "GRU"} do
      local x, layer = wave {2, 5, 3}, nn.layers[name]{4}
      local want = layer(x)
      local cell = nn.layers[name .. "Cell"]{4}
      cell:ensure_built {2, 3}
      cell:set_weights(layer:get_weights())
      local y, states = nil, cell:get_initial_state(2)
      for t = 1, 5 do y, states = cell(nn.ops.take(x, t, {axis = 2}), states) end
      near(want, y)
      near(want, nn.layers.RNN(cell)(x))
    end
  end)

  it("stand on each other", function()
    local x = wave {2, 4, 3}
    local first = nn.layers.LSTM{3, return_sequences = true}
    local second = nn.layers.GRU{2, return_state = true}
    local want = second(first(x))
    local layer = nn.layers.RNN{{nn.layers.LSTMCell(3), nn.layers.GRUCell(2)}, return_state = true}
    layer:ensure_built {2, 4, 3}
    local weights = first:get_weights()
    for _, w in ipairs(second:get_weights()) do weights[#weights + 1] = w end
    layer:set_weights(weights)
    local got = layer(x)
    assert.equal(4, #got) -- the output, h and c of the first, h of the second
    near(want[1], got[1])
    near(want[2], got[4])
    assert.same({3, 3, 2}, layer.cell.state_size)
  end)

  it("may be written in Lua", function()
    local Sum = nn.layers.Layer:extend("RunningSum", {args = "units"})
    function Sum:init(a)
      nn.layers.Layer.init(self, a)
      self.state_size = a.units
    end
    function Sum.call(_, x, states)
      local y = x + states[1]
      return y, {y}
    end
    local x = wave {2, 4, 3}
    near(nn.ops.cumsum(x, {axis = 2}), nn.layers.RNN{Sum(3), return_sequences = true}(x))
  end)
end)

describe("Recurrent layers", function()
  it("begin with an open gate and name their weights", function()
    local layer = nn.layers.LSTM{2, name = "reader"}
    layer:ensure_built {false, false, 3}
    assert.same({0, 0, 1, 1, 0, 0, 0, 0}, core.totable(layer.weights[3].tensor))
    assert.equal("reader/lstm_cell/kernel", layer.weights[1].path)
    assert.same({false, 2}, layer:compute_output_shape {false, 7, 3})
  end)

  it("keep their states where they are told to", function()
    local x = wave {2, 6, 3}
    local layer = nn.layers.GRU{4, stateful = true}
    local half = {nn.ops.take(x, {1, 2, 3}, {axis = 2}), nn.ops.take(x, {4, 5, 6}, {axis = 2})}
    layer(half[1])
    local y = layer(half[2])
    local plain = nn.layers.GRU{4}
    plain:ensure_built {2, 6, 3}
    plain:set_weights {table.unpack(layer:get_weights(), 2)} -- behind the state
    near(plain(x), y)
    layer:reset_state()
    near(plain(half[1]), layer(half[1]))
    assert.error_matches(function()
      nn.layers.GRU{4, stateful = true}:ensure_built {false, 6, 3}
    end, "fixed batch")
  end)

  it("drop the same in every step, and only in training", function()
    for _, name in ipairs {"SimpleRNN", "LSTM", "GRU"} do
      for _, rates in ipairs {{0.5, 0}, {0, 0.5}, {0.5, 0.5}} do
        local layer = nn.layers[name]{8, dropout = rates[1], recurrent_dropout = rates[2], seed = 4}
        local x = wave {2, 3, 5}
        near(layer(x), layer(x))
        assert.is_true(nn.ops.max(nn.ops.abs(layer(x) - layer(x, {training = true}))):item() > 1e-3)
      end
    end
    local ones = nn.ops.ones {1, 6, 40}
    local layer = nn.layers.SimpleRNN{1, dropout = 0.5, return_sequences = true,
      kernel_initializer = "ones", recurrent_initializer = "zeros", activation = "linear"}
    local y = core.totable(layer(ones, {training = true}))[1]
    for t = 2, 6 do assert.equal(y[1][1], y[t][1]) end
  end)

  it("merge both directions", function()
    local x = wave {2, 4, 3}
    local both = nn.layers.Bidirectional{nn.layers.LSTM{3, return_sequences = true},
      merge_mode = nn.None}
    local y = both(x)
    assert.equal(2, #y)
    for mode, f in pairs {sum = function(a, b) return a + b end,
      mul = function(a, b) return a * b end, ave = function(a, b) return (a + b) / 2 end} do
      local layer = nn.layers.Bidirectional{nn.layers.LSTM{3, return_sequences = true},
        merge_mode = mode}
      layer:ensure_built {2, 4, 3}
      layer:set_weights(both:get_weights())
      near(f(y[1], y[2]), layer(x))
    end
    assert.error_matches(function()
      nn.layers.Bidirectional{nn.layers.LSTM(3), merge_mode = "max"}
    end, "merge_mode is 'max'")
  end)

  it("hand masks on with sequences alone", function()
    local ids = nn.ops.array({{1, 2, 0}, {3, 0, 0}}, "int32")
    local x = nn.layers.Embedding{4, 3, mask_zero = true}(ids)
    assert.same({{1, 1, 0}, {1, 0, 0}},
      core.totable(mask.get(nn.layers.LSTM{2, return_sequences = true}(x))))
    assert.is_nil(mask.get(nn.layers.LSTM{2}(x)))
  end)

  it("train, save and load", function()
    nn.set_random_seed(3)
    local model = nn.Sequential{nn.Input{{6, 2}},
      nn.layers.Bidirectional(nn.layers.GRU{8, return_sequences = true}), nn.layers.LSTM(8),
      nn.layers.Dense(1)}
    model:compile{optimizer = nn.optimizers.Adam(0.02), loss = "mse"}
    local x = wave {64, 6, 2}
    local y = nn.ops.sum(x, {axis = {2, 3}})
    local losses = model:fit{x, y, epochs = 30, verbose = 0}.history.loss
    assert.is_true(losses[#losses] < 0.2 * losses[1])
    local again = saved_and_loaded(model)
    near(model(x), again(x))
  end)
end)

describe("Attention", function()
  local q, v = wave {2, 3, 4}, wave {2, 5, 4}

  it("gives nothing to a row that may see nothing", function()
    local layer = nn.layers.MultiHeadAttention{2, 2, use_bias = false}
    local marks = nn.ops.ones {2, 3, 5} * nn.ops.array {{{1}, {0}, {1}}}
    local y = core.totable(layer({q, v}, {attention_mask = marks}))
    assert.same({0, 0, 0, 0}, y[1][2])
    assert.are_not.same({0, 0, 0, 0}, y[1][1])
  end)

  it("looks through a window", function()
    local layer = nn.layers.MultiHeadAttention{1, 2, sliding_window = 2}
    local scores = core.totable(layer({q, q}, {return_attention_scores = true})[2])[1][1]
    assert.equal(0, scores[1][3])
    assert.is_true(scores[1][2] > 0)
    local causal = layer({q, q}, {return_attention_scores = true, use_causal_mask = true})
    assert.equal(0, core.totable(causal[2])[1][1][1][2])
  end)

  it("saves its parts under Keras's names", function()
    local a, b = nn.Input{{3, 4}}, nn.Input{{5, 4}}
    local layer = nn.layers.MultiHeadAttention{2, 2, name = "mha"}
    local model = nn.Model{inputs = {a, b}, outputs = layer {a, b}}
    assert.equal("mha/query/kernel", layer.weights[1].path)
    local again = saved_and_loaded(model)
    near(model {q, v}, again {q, v})
  end)

  it("saves how it is called", function()
    local a, b, c = nn.Input{{3, 4}}, nn.Input{{3, 4}}, nn.Input{{6}}
    local y = nn.layers.MultiHeadAttention(2, 2)({a, b}, {use_causal_mask = true})
    local z = nn.layers.GRU(6) {y, c}
    local model = nn.Model{inputs = {a, b, c}, outputs = z}
    local again = nn.models.model_from_json(model:to_json())
    again:set_weights(model:get_weights())
    local x = {q, wave {2, 3, 4} * 2, wave {2, 6}}
    near(model(x), again(x))
    assert.is_true(nn.ops.max(nn.ops.abs(model {q, x[2], x[3] * 0} - model(x))):item() > 1e-3)
  end)

  it("refuses groups that do not divide", function()
    assert.error_matches(function() nn.layers.GroupQueryAttention(2, 3, 2) end, "do not divide")
  end)
end)
