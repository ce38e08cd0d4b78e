-- Texts of nn.layers for convolution, pooling and padding; the rest is in layers.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local size_of = "\"valid\": floor((n - k) / stride) + 1 for a side n; \"same\": ceil(n / stride)."

-- The output's shape on a tensor of zeros.
local function shape(code, input, printed)
  return ('print(table.concat(nn.layers.%s(nn.zeros{%s}).shape, ", ")) --> %s'):format(code, input,
    printed)
end

-- Entries of a family: f(rank, its axes as text, sides of 6 and 1 channel, a size for each axis).
local function family(entries, pattern, ranks, f)
  local axes = {"T", "H, W", "D, H, W"}
  for rank = 1, ranks do
    entries[pattern:format(rank)] = f(pattern:format(rank), axes[rank], rank)
  end
end

-- "2, 6, 6, 1": two rows, sides n, channels c.
local function sizes(rank, n, c) return "2, " .. (n .. ", "):rep(rank) .. c end

local entries = {}

family(entries, "Conv%dD", 3, function(name, axes, rank)
  return {"Convolution (cross-correlation) with learned kernels.",
    shapes = ("(N, %s, C) to (N, %s, filters); kernel (k..., C / groups, filters), bias "
      .. "(filters). ")
      :format(axes, axes) .. size_of,
    errors = "filters or C are no multiples of groups; an output without elements; strides and "
      .. "dilation both above 1.",
    example = shape(name .. "{4, 3}", sizes(rank, 6, 1), sizes(rank, 4, 4))}
end)
family(entries, "Conv%dDTranspose", 3, function(name, axes, rank)
  return {"The gradient of a convolution: larger outputs from smaller inputs.",
    shapes = ("(N, %s, C) to (N, %s, filters); kernel (k..., filters, C). A side n becomes "
      .. ""):format(
      axes, axes) .. "(n - 1) * stride + k with \"valid\", n * stride with \"same\".",
    errors = "output_padding is not below strides.",
    example = shape(name .. "{4, 3, strides = 2, padding = 'same'}", sizes(rank, 3, 1),
      sizes(rank, 6, 4))}
end)
family(entries, "DepthwiseConv%dD", 2, function(name, axes, rank)
  return {"Convolution of each channel by itself.",
    shapes = ("(N, %s, C) to (N, %s, C * depth_multiplier). "):format(axes, axes) .. size_of,
    example = shape(name .. "{3}", sizes(rank, 6, 2), sizes(rank, 4, 2))}
end)
family(entries, "SeparableConv%dD", 2, function(name, axes, rank)
  return {"A depthwise convolution, then one of size 1 across channels.",
    shapes = ("(N, %s, C) to (N, %s, filters). "):format(axes, axes) .. size_of,
    paper = "Chollet 2017", example = shape(name .. "{4, 3}", sizes(rank, 6, 2), sizes(rank, 4, 4))}
end)
family(entries, "MaxPooling%dD", 3, function(name, axes, rank)
  return {"The largest element of each window.",
    shapes = ("(N, %s, C) to (N, %s, C). "):format(axes, axes) .. size_of,
    example = shape(name .. "{2}", sizes(rank, 6, 1), sizes(rank, 3, 1))}
end)
family(entries, "AveragePooling%dD", 3, function(name, axes, rank)
  return {"The mean of each window; padding does not count.",
    shapes = ("(N, %s, C) to (N, %s, C). "):format(axes, axes) .. size_of,
    example = shape(name .. "{2}", sizes(rank, 6, 1), sizes(rank, 3, 1))}
end)
family(entries, "GlobalMaxPooling%dD", 3, function(name, axes, rank)
  return {"The largest element of each channel.", shapes = ("(N, %s, C) to (N, C)."):format(axes),
    example = shape(name .. "{}", sizes(rank, 6, 3), "2, 3")}
end)
family(entries, "GlobalAveragePooling%dD", 3, function(name, axes, rank)
  return {"The mean of each channel.", shapes = ("(N, %s, C) to (N, C)."):format(axes),
    example = shape(name .. "{}", sizes(rank, 6, 3), "2, 3")}
end)
family(entries, "AdaptiveMaxPooling%dD", 3, function(name, axes, rank)
  return {"The largest elements of output_size cells.",
    shapes = ("(N, %s, C) to (N, output_size..., C)."):format(axes),
    example = shape(name .. "{2}", sizes(rank, 5, 1), sizes(rank, 2, 1))}
end)
family(entries, "AdaptiveAveragePooling%dD", 3, function(name, axes, rank)
  return {"The means of output_size cells: floor(i n / o) up to ceil((i + 1) n / o) - 1.",
    shapes = ("(N, %s, C) to (N, output_size..., C)."):format(axes),
    example = shape(name .. "{2}", sizes(rank, 5, 1), sizes(rank, 2, 1))}
end)
family(entries, "ZeroPadding%dD", 3, function(name, axes, rank)
  return {"Zeros around the input.", shapes = ("(N, %s, C), sides grown by the "
    .. "padding."):format(axes),
    example = shape(name .. "{1}", sizes(rank, 4, 1), sizes(rank, 6, 1))}
end)
family(entries, "Cropping%dD", 3, function(name, axes, rank)
  return {"Cuts the sides off.", shapes = ("(N, %s, C), sides less the cropping."):format(axes),
    errors = "Nothing would be left.",
    example = shape(name .. "{1}", sizes(rank, 6, 1), sizes(rank, 4, 1))}
end)
family(entries, "UpSampling%dD", 3, function(name, axes, rank)
  return {"Repeats each element, or interpolates between them.",
    shapes = ("(N, %s, C), sides times size."):format(axes),
    example = shape(name .. "{2}", sizes(rank, 3, 1), sizes(rank, 6, 1))}
end)

return {
  arguments = {
    filters = "Number of output channels, above 0.",
    kernel_size = "Size of the kernel: one number, or one an axis.",
    strides = "Step of the window: one number, or one an axis; nil: the window's size.",
    padding = "\"valid\" or \"same\" (Conv1D also \"causal\"); of ZeroPadding: numbers a side.",
    dilation_rate = "Step inside the kernel: one number, or one an axis.",
    groups = "Blocks of channels that do not meet.", depth_multiplier = "Outputs of each channel.",
    output_padding = "Rows more at the end, below strides; nil: by padding.",
    pool_size = "Size of the window: one number, or one an axis.",
    output_size = "Cells of the output: one number, or one an axis.",
    cropping = "Rows to cut: one number, one an axis, or {before, after} an axis.",
    size = "How often each element is repeated: one number, or one an axis.",
    interpolation = "\"nearest\", \"bilinear\", \"bicubic\", \"lanczos3\" or \"lanczos5\".",
  },
  entries = entries,
}
