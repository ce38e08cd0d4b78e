-- Texts of nn.layers for recurrent layers and attention.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local function shape(code, input, printed)
  return ('print(table.concat(nn.layers.%s(nn.zeros{%s}).shape, ", ")) --> %s'):format(code, input,
    printed)
end

local steps = "(N, T, F) to (N, units), or (N, T, units) with return_sequences. "
local step = "(N, F) and states (N, units) to (N, units) and the new states. "

local function layer(text, name, weights, paper)
  return {text, shapes = steps .. weights, paper = paper, example = shape(name .. "{4}", "2, 5, 3",
    "2, 4")}
end

local function cell(text, name, weights, paper)
  return {text .. " One step of it.", shapes = step .. weights, paper = paper,
    example = ("print(nn.layers.RNN{nn.layers.%s{4}}(nn.zeros{2, 5, 3}).shape[2]) --> "
      .. "4"):format(name)}
end

local heads = "query (N, T, D), value (N, S, D), key (N, S, D) to (N, T, D)."

-- Attention of a tensor to itself.
local function attention(code)
  return ("local x = nn.zeros{2, 5, 4}\nprint(nn.layers.%s{x, x}.shape[2]) --> 5"):format(code)
end

local lstm = "Weights kernel (F, 4 units), recurrent_kernel (units, 4 units), bias (4 units)."
local gru = "Weights kernel (F, 3 units), recurrent_kernel (units, 3 units), bias (2, 3 units)."
local plain = "Weights kernel (F, units), recurrent_kernel (units, units), bias (units)."

return {
  arguments = {
    recurrent_activation = "The activation of the gates.",
    recurrent_initializer = "Start of the recurrent kernel: an identifier of nn.initializers.",
    recurrent_regularizer = "Penalty of the recurrent kernel.",
    recurrent_constraint = "What the recurrent kernel is projected on.",
    dropout = "Share of inputs that become 0 in training.",
    recurrent_dropout = "Share of states that become 0 in training.",
    return_sequences = "Give the outputs of all steps.", return_state = "Give the last states too.",
    go_backwards = "Begin with the last step.",
    stateful = "Go on from the states of the last batch.",
    unroll = "Taken for Keras's sake.", use_cudnn = "Taken for Keras's sake.",
    reset_after = "Apply the reset gate after the product.", cell = "A cell, or a list of them.",
    unit_forget_bias = "The forget gate's bias begins at 1.", cells = "A list of cells.",
    zero_output_for_mask = "Outputs of masked steps are 0.",
    use_scale = "Learn a factor of the scores.", score_mode = "\"dot\" or \"concat\".",
    backward_layer = "The layer that reads backwards; nil: a copy.",
    merge_mode = "\"concat\", \"sum\", \"mul\", \"ave\" or nil: a list.",
    head_dim = "Size of a head.", num_query_heads = "Heads of the query.",
    num_key_value_heads = "Heads of key and value; divides the query's.",
    flash_attention = "Taken for Keras's sake.", use_gate = "Multiply by a learned gate.",
    sliding_window = "Positions that are seen; nil: all.", num_heads = "Number of heads.",
    key_dim = "Size of a head's query and key.",
    value_dim = "Size of a head's value; nil: key_dim.",
    output_shape = "Sizes of the output's last axes; nil: the query's.",
    attention_axes = "Axes that are attended to; nil: all but the first and the last.",
  },
  entries = {
    SimpleRNN = layer("h = activation(x . kernel + h . recurrent_kernel + bias), step by step.",
      "SimpleRNN", plain),
    LSTM = layer("Long short-term memory: a cell state behind input, forget and output gates.",
    "LSTM",
      lstm, "Hochreiter and Schmidhuber 1997"),
    GRU = layer("Gated recurrent unit: update and reset gates.", "GRU", gru, "Cho et al. 2014"),
    SimpleRNNCell = cell("h = activation(x . kernel + h . recurrent_kernel + bias).",
    "SimpleRNNCell",
      plain),
    LSTMCell = cell("Long short-term memory.", "LSTMCell", lstm, "Hochreiter and Schmidhuber 1997"),
    GRUCell = cell("Gated recurrent unit.", "GRUCell", gru, "Cho et al. 2014"),
    RNN = {"A cell, step by step.", shapes = "(N, T, F) to (N, units), or (N, T, units).",
      example = shape("RNN{nn.layers.SimpleRNNCell{4}}", "2, 5, 3", "2, 4")},
    Bidirectional = {"A recurrent layer forwards and one backwards.",
    paper = "Schuster and Paliwal 1997",
      shapes = "(N, T, F) to those of the layer, the last axis twice as long with \"concat\".",
      example = shape("Bidirectional{nn.layers.SimpleRNN{4}}", "2, 5, 3", "2, 8")},
    Attention = {"softmax(query . key) . value.", shapes = heads, paper = "Luong et al. 2015",
      example = attention "Attention{}"},
    AdditiveAttention = {"softmax(sum(scale * tanh(query + key))) . value.", shapes = heads,
      paper = "Bahdanau et al. 2015", example = attention "AdditiveAttention{}"},
    MultiHeadAttention = {"Scaled dot-product attention in several heads, with learned "
      .. "projections.",
      shapes = heads, paper = "Vaswani et al. 2017", example = [[
local x = nn.zeros{2, 5, 4}
print(nn.layers.MultiHeadAttention{2, 3}(x, {value = x}).shape[3]) --> 4]]},
    GroupQueryAttention = {"Attention whose query heads share heads of key and value.",
      shapes = heads, paper = "Ainslie et al. 2023", example = [[
local x = nn.zeros{2, 5, 4}
print(nn.layers.GroupQueryAttention{3, 4, 2}(x, {value = x}).shape[3]) --> 4]]},
    StackedRNNCells = {"Cells one after the other as one cell.", shapes = step, example = [[
local cells = {nn.layers.SimpleRNNCell{4}, nn.layers.SimpleRNNCell{3}}
print(nn.layers.RNN{nn.layers.StackedRNNCells{cells}}(nn.zeros{2, 5, 3}).shape[2]) --> 3]]},
  },
}
