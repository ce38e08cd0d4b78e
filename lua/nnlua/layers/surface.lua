-- What Keras's layers and models show beyond their work: dtypes, symbolic inputs and outputs,
-- configurations for building and compiling.

local err = require "nnlua.err"

local surface = {}

local function node_field(self, pick, what)
  local nodes = rawget(self, "inbound_nodes")
  if not nodes or not nodes[1] then
    err.raise("%s: layer '%s' has not been called on symbolic tensors", what, self.name)
  end
  return pick(nodes[1])
end

--- Adds the fields and methods to the class Layer.
function surface.layer(Layer)
  Layer.getters.compute_dtype = function() return "float32" end
  Layer.getters.variable_dtype = function() return "float32" end
  Layer.getters.input_dtype = function() return "float32" end
  Layer.getters.dtype_policy = function(self) return self.dtype end
  Layer.getters.path = function(self) return self.build_path or self.name end
  Layer.getters.metrics = function() return {} end
  Layer.getters.metrics_variables = function(self)
    local list = {}
    for _, metric in ipairs(self.metrics) do
      for _, v in ipairs(metric.variables) do list[#list + 1] = v end
    end
    return list
  end
  -- symbolic tensors of the layer's first call in a functional model
  Layer.getters.input = function(self)
    return node_field(self, function(node) return node.inputs end, "input")
  end
  Layer.getters.output = function(self)
    return node_field(self, function(node) return node.outputs end, "output")
  end

  --- The shape that the layer was built with, as data.
  function Layer:get_build_config()
    return self.built_shape and {input_shape = self.built_shape} or nil
  end

  --- Builds the layer as `get_build_config` says.
  function Layer:build_from_config(config)
    if config and config.input_shape then self:ensure_built(config.input_shape) end
  end

  --- The symbolic output for symbolic inputs.
  function Layer:symbolic_call(...) return self(...) end
  function Layer:compute_output_spec(...) return self(...) end
end

--- Adds the fields and methods to the class Model.
function surface.model(Model)
  Model.getters.jit_compile = function() return false end

  --- What compile was given, as data.
  function Model:get_compile_config()
    return require("nnlua.saving.config").compile_config(self)
  end

  --- Compiles as `get_compile_config` says.
  function Model:compile_from_config(config)
    require("nnlua.saving.config").compile(self, config)
  end

  --- The metrics so far: name -> number.
  function Model:get_metrics_result() return require("nnlua.trainer.loop").logs(self) end

  --- The outputs of one batch, in inference mode.
  function Model:predict_step(data) return self(data, {training = false}) end
end

return surface
