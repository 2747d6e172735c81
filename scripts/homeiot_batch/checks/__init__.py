"""What the doctor looks at, by place: each check yields findings and changes nothing."""
