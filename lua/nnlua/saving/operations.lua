-- Calls of nn.ops on the symbolic tensors of a functional model, as Keras's files hold them: nodes
-- of the class `Add` of `keras.src.ops.numpy` and so on. Options stand in the config, tensors and
-- numbers among the arguments of the call.
--
-- Names of a file are looked up in the table below and nowhere else. Left out is what counts
-- positions in its values (argmax, argsort, top_k ...), which begin with 1 here and with 0 there;
-- what takes functions; and what makes tensors from numbers alone.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local objects = require "nnlua.saving.objects"

local operations = {}

local null, array = core.json.null, core.json.array

-- the table --------------------------------------------------------------------------------------

-- "name(what stands in config)", with "=Class" where that is not the name in camel case.
local text = {
  numpy = [[
    abs add all(axis,keepdims) amax(axis,keepdims) amin(axis,keepdims) any(axis,keepdims)
    append(axis) arccos arccosh arcsin arcsinh arctan arctan2 arctanh
    array_split(indices_or_sections,axis) average(axis) bitwise_and bitwise_invert
    bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor
    broadcast_to(shape) cbrt ceil clip(x_min,x_max) concatenate(axis) copy corrcoef
    correlate(mode) cos cosh count_nonzero(axis) cross(axisa,axisb,axisc,axis)
    cumprod(axis,dtype) cumsum(axis,dtype) deg2rad diag(k) diagflat(k)
    diagonal(offset,axis1,axis2) diff(n,axis) divide divide_no_nan dot
    dsplit(indices_or_sections) dstack einsum(subscripts) equal exp exp2 expand_dims(axis) expm1
    fabs flip(axis) fliplr flipud floor floor_divide fmax fmin fmod full_like gcd get_item greater
    greater_equal heaviside hsplit(indices_or_sections) hstack hypot i0 inner isclose(equal_nan)
    isfinite isin=IsIn(assume_unique,invert) isinf isnan isneginf isposinf kron lcm ldexp
    left_shift less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not
    logical_or logical_xor matmul max(axis,keepdims,initial) maximum mean(axis,keepdims)
    median(axis,keepdims) min(axis,keepdims,initial) minimum mod moveaxis(source,destination)
    multiply nan_to_num(nan,posinf,neginf) nancumprod(axis,dtype) nancumsum(axis,dtype)
    nanmax(axis,keepdims) nanmean(axis,keepdims) nanmedian(axis,keepdims) nanmin(axis,keepdims)
    nanpercentile(axis,method,keepdims) nanprod(axis,keepdims) nanquantile(axis,method,keepdims)
    nanstd(axis,keepdims) nansum(axis,keepdims) nanvar(axis,keepdims) negative nextafter
    not_equal ones_like outer pad(pad_width,mode) percentile(axis,method,keepdims) power
    prod(axis,keepdims,dtype) ptp(axis,keepdims) quantile(axis,method,keepdims) rad2deg ravel
    reciprocal repeat(repeats,axis) reshape(newshape) right_shift roll(shift,axis) rot90(k,axes)
    round(decimals) select sign signbit sin sinc sinh slogdet sort(axis)
    split(indices_or_sections,axis) sqrt square squeeze(axis) stack(axis) std(axis,keepdims)
    subtract sum(axis,keepdims) swapaxes(axis1,axis2) take(axis) tan tanh tensordot(axes)
    tile(repeats) trace(offset,axis1,axis2) transpose(axes) trapezoid(x,dx,axis) tril(k) triu(k)
    true_divide trunc var(axis,keepdims) vdot vsplit(indices_or_sections) vstack where
    zeros_like
  ]],
  nn = [[
    adaptive_average_pool(output_size,data_format) adaptive_max_pool(output_size,data_format)
    average_pool(pool_size,strides,padding,data_format)
    batch_normalization=BatchNorm(axis,epsilon) binary_crossentropy(from_logits)
    categorical_crossentropy(from_logits,axis) celu(alpha)
    conv(strides,padding,data_format,dilation_rate)
    conv_transpose(strides,padding,output_padding,data_format,dilation_rate)
    depth_to_space(block_size,data_format)
    depthwise_conv(strides,padding,data_format,dilation_rate)
    dot_product_attention(is_causal,flash_attention,attn_logits_soft_cap) elu(alpha)
    gelu(approximate) glu(axis) hard_shrink(threshold) hard_sigmoid hard_silu hard_tanh
    layer_normalization=LayerNorm(axis,epsilon) leaky_relu(negative_slope) log_sigmoid
    log_softmax(axis) max_pool(pool_size,strides,padding,data_format)
    moments(axes,keepdims,synchronized) multi_hot(num_classes,axis,sparse,dtype)
    normalize(axis,order,epsilon) one_hot(num_classes,axis,dtype,sparse) psnr=PSNR(max_val) relu
    relu6 rms_normalization=RMSNorm(axis,epsilon) selu
    separable_conv(strides,padding,data_format,dilation_rate) sigmoid silu
    soft_shrink(threshold) softmax(axis) softplus softsign
    space_to_depth(block_size,data_format) sparse_categorical_crossentropy(from_logits,axis)
    sparse_plus sparse_sigmoid sparsemax(axis) squareplus(b) tanh_shrink
    threshold(threshold,default_value)
  ]],
  math = [[
    cdist=CDist erf erfc erfinv extract_sequences(sequence_length,sequence_stride) fft2=FFT2
    fft=FFT ifft2=IFFT2 in_top_k(k) irfft=IRFFT(fft_length) logdet logsumexp(axis,keepdims)
    rfft=RFFT(fft_length) rsqrt segment_max(num_segments,sorted)
    segment_min(num_segments,sorted) segment_prod(num_segments,sorted)
    segment_sum(num_segments,sorted)
  ]],
  linalg = [[
    cholesky(upper) cholesky_inverse(upper) det eig eigh inv lstsq(rcond) matrix_rank(tol)
    norm(ord,axis,keepdims) pinv(rcond) qr(mode) solve solve_triangular(lower)
    svd=SVD(full_matrices,compute_uv)
  ]],
  core = [[
    cast(dtype) saturate_cast(dtype) slice(shape) slice_update stop_gradient
  ]],
}

-- Classes under which Keras has the same function once more.
local aliases = {Absolute = "abs", Amax = "amax", Amin = "amin"}

local by_name, by_class

local function camel(name)
  local out = name:gsub("_?(%l)([%w]*)", function(first, rest) return first:upper() .. rest end)
  return out
end

local function add_row(module, name, cls, keys)
  local row = {name = name, module = "keras.src.ops." .. module, config = {},
    class_name = cls ~= "" and cls or camel(name)}
  for key in keys:gmatch "%w+[%w_]*" do row.config[key] = true end
  by_name[name], by_class[row.class_name] = row, row
end

local function load_table()
  by_name, by_class = {}, {}
  for module, list in pairs(text) do
    for entry in list:gmatch "%S+" do
      local name, cls, keys = entry:match "^([%w_]+)=?(%w*)%(?([^)]*)%)?$"
      add_row(module, name, cls, keys)
    end
  end
  for cls, name in pairs(aliases) do by_class[cls] = by_name[name] end
end

local function fn_of(row) return require("nnlua.ops")[row.name] end

-- values ------------------------------------------------------------------------------------------

-- Numbers that make work by themselves, whatever the sizes of the tensors.
local most = {n = 64, k = 1 << 31, indices_or_sections = 10000, output_size = 10000,
  num_classes = 1 << 31, fft_length = 1 << 20}

local function check_most(row, key, v)
  if type(v) == "table" then
    for _, one in pairs(v) do check_most(row, key, one) end
  elseif most[key] and type(v) == "number" and not (math.abs(v) <= most[key]) then
    err.raise("load: %s of '%s' is %s, at most %d are read from a file", key, row.name,
      tostring(v), most[key])
  end
end

local axis_keys = {axis = true, axes = true, axis1 = true, axis2 = true, axisa = true, axisb = true,
  axisc = true, source = true, destination = true}

-- What counts positions in numbers that the call gives.
local position_keys = {take = "indices", slice = "start_indices", slice_update = "start_indices"}

local function shifted(row, key, v, by)
  local counts = row.name == "tensordot" and type(v) == "number"
  local positions = position_keys[row.name] == key
  if counts or not axis_keys[key] and not positions then return v end
  if positions and not pcall(objects.shift, v, by) then return v end
  return objects.shift(v, by)
end

-- A range {first, last, step} (inclusive) as Python's slice, and back. n: the axis' size.
local function to_slice(r)
  local first, last, step = r[1] or r.first, r[2] or r.last, r[3] or r.step
  if first and first > 0 then first = first - 1 end
  if (step or 1) > 0 then
    if last and last < 0 then last = last < -1 and last + 1 or nil end
  elseif last then
    last = last > 1 and last - 2 or last < 0 and last - 1 or nil
  end
  return {class_name = "__slice__", config = {start = first or null, stop = last or null,
    step = step or null}}
end

local function whole(v) return v ~= null and math.tointeger(v) or nil end

local function from_slice(c, n)
  local first, last, step = whole(c.start), whole(c.stop), whole(c.step)
  if first and first >= 0 then first = first + 1 end
  if (step or 1) < 0 then
    if last and last < 0 then err.raise("load: a slice from the end with a negative step") end
    return {first, last and last + 2, step}
  end
  if last and last < 0 then last = last - 1 end
  if last and n and last > n then last = n end
  if not first and not last and not step then return false end
  return {first, last, step}
end

local function key_to_file(key, where)
  local list = {}
  for i, k in ipairs(type(key) == "table" and getmetatable(key) == nil and key or {key}) do
    if type(k) == "number" then list[i] = k > 0 and k - 1 or k
    elseif k == false or type(k) == "table" and getmetatable(k) == nil then
      list[i] = to_slice(k or {})
    else err.raise("%s: get_item by a tensor cannot be saved: positions count from 1 here", where)
    end
  end
  return array(list)
end

local function key_from_file(key, shape)
  local list = {}
  if type(key) ~= "table" or key.class_name then key = {key} end
  for i = 1, #key do
    local k, n = key[i], shape[#list + 1]
    if math.tointeger(k) then list[#list + 1] = k >= 0 and k + 1 or k
    elseif type(k) == "table" and k.class_name == "__slice__" and type(k.config) == "table" then
      list[#list + 1] = from_slice(k.config, n)
    elseif type(k) == "table" and k.class_name == "__ellipsis__" then
      for _ = 1, #shape - (#key - 1) do list[#list + 1] = false end
    else
      err.raise("load: get_item by %s is not supported", k == null and "a new axis"
        or type(k) == "table" and tostring(k.class_name or "a list") or tostring(k))
    end
  end
  return list
end

-- writing -----------------------------------------------------------------------------------------

local function is_symbolic(v) return type(v) == "table" and v.__keras_tensor end

-- A value of a call: `tensor` describes symbolic tensors.
local function to_file(v, tensor, where)
  if v == nil or v == args.None then return null end
  if is_symbolic(v) then return tensor(v) end
  if type(v) == "number" and (v ~= v or v == math.huge or v == -math.huge) then
    err.raise("%s: %s is no number that a file can hold", where, tostring(v))
  end
  if type(v) ~= "table" and not core.is_tensor(v) then
    if type(v) == "function" then err.raise("%s: a function cannot be saved", where) end
    return v
  end
  if core.is_tensor(v) then return objects.serialize(v) end
  if class.is_class(getmetatable(v)) then
    err.raise("%s: a %s cannot be saved; put the call into a layer", where,
      tostring(v.class_name))
  end
  local out = {}
  for i = 1, #v do out[i] = to_file(v[i] or -1, tensor, where) end -- an unknown size
  return array(out)
end

-- Arguments by position until one is left out, the rest by name.
local function call_node(row, layer, tensor, where)
  local list, named, gap = {}, {}, false
  for _, entry in ipairs(layer.sig) do
    local key, v = entry.name, layer.bound[entry.name]
    gap = gap or v == nil and not row.config[key]
    if row.name == "einsum" and key == "operands" then
      for i, one in ipairs(v) do list[i] = to_file(one, tensor, where) end
    elseif v ~= nil and not row.config[key] then
      if position_keys[row.name] == key and (is_symbolic(v) or core.is_tensor(v)) then
        err.raise("%s: %s in a tensor cannot be saved: positions count from 1 here", where, key)
      end
      v = row.name == "get_item" and key == "key" and key_to_file(v, where)
        or to_file(shifted(row, key, v, -1), tensor, where)
      if gap then named[key] = v else list[#list + 1] = v end
    end
  end
  return {args = array(list), kwargs = named}
end

--- The layer's object for a file. tensor: describes a symbolic tensor of the model.
function operations.serialize(layer, tensor)
  if not by_name then load_table() end
  local name = layer.sig.name
  local where, row = ("save: nn.ops.%s '%s'"):format(name, layer.name), by_name[name]
  if not row then
    err.raise("%s on symbolic tensors has no counterpart in Keras's files; put it into a layer",
      where)
  end
  local config = {name = layer.name}
  for key in pairs(row.config) do
    local v = layer.bound[key]
    if v ~= nil then
      config[key] = to_file(shifted(row, key, v, -1), function()
        err.raise("%s: %s cannot be a symbolic tensor in a file", where, key)
      end, where)
    end
  end
  return {module = row.module, class_name = row.class_name, config = config,
    registered_name = row.class_name, name = layer.name,
    inbound_nodes = array{call_node(row, layer, tensor, where)}}
end

-- reading -----------------------------------------------------------------------------------------

--- The row of the table for an object of a file; nil when it is no operation. Legacy .h5 files name
--- no module: layers say there whether they are trainable, operations do not.
function operations.find(v)
  if not by_name then load_table() end
  if v.module == nil and v.config.trainable == nil then return by_class[v.class_name] end
  if type(v.module) ~= "string" or not v.module:find "^keras%.src%.ops%." then return nil end
  return by_class[v.class_name] or err.raise("load: the operation %s of %s is not supported",
    tostring(v.class_name), v.module)
end

-- A value of a call or configuration; fill gives the tensor of a description of one.
local function from_file(v, fill)
  if v == null or v == nil then return nil end
  if type(v) ~= "table" then return v end
  local t = fill(v)
  if t ~= nil then return t end
  if v.class_name then return objects.deserialize(v) end
  local out = {}
  for i = 1, #v do out[i] = from_file(v[i], fill) end
  return out
end

local function call_keys(row, sig)
  local list = {}
  for _, entry in ipairs(sig) do
    if not row.config[entry.name] then list[#list + 1] = entry.name end
  end
  return list
end

local function put(record, row, key, v, fill)
  if row.name == "get_item" and key == "key" then
    record.key = key_from_file(v, record.x.shape)
    return
  end
  check_most(row, key, v)
  v = from_file(v, fill)
  if v ~= nil then record[key] = shifted(row, key, v, 1) end
end

--- Makes the call of a node again; gives the symbolic outputs. c: the configuration; fill: the
--- tensor of a description, nil for other values.
function operations.call(row, c, node, fill)
  local fn = fn_of(row)
  local sig, record = args.describe(fn), {}
  local keys = call_keys(row, sig)
  local given = type(node.args) == "table" and node.args or {}
  for key in pairs(row.config) do put(record, row, key, c[key], function() return nil end) end
  if row.name == "einsum" then
    put(record, row, "operands", given, fill)
  else
    if #given > #keys then
      err.raise("load: the call of '%s' has %d arguments, expected at most %d", row.name, #given,
        #keys)
    end
    for i = 1, #given do put(record, row, keys[i], given[i], fill) end
  end
  for key, v in pairs(type(node.kwargs) == "table" and node.kwargs or {}) do
    if v ~= null then
      if not sig.index[key] then
        err.raise("load: the call of '%s' passes '%s', which is not supported", row.name,
          tostring(key))
      end
      put(record, row, key, v, fill)
    end
  end
  local bound = args.bind(sig, record)
  if not args.symbolic.found(bound, sig) then
    err.raise("load: the call of '%s' takes no tensor of the model", row.name)
  end
  return args.symbolic.call(fn, sig, bound, c.name)
end

return operations
