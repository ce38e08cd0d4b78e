-- Input and InputLayer under nn.layers, as in Keras.

local symbolic = require "nnlua.keras_tensor"

return {Input = symbolic.Input, InputLayer = symbolic.InputLayer}
