// Dagster's own memory: runs, events, sensors. It keeps none in SQL Server.
param name string
param location string
param dagsterId string
param dagsterName string
param subnetId string
param zoneId string
param workspaceId string

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: name
  location: location
  sku: {
    name: 'Standard_B1ms'
    tier: 'Burstable'
  }
  properties: {
    version: '16'
    storage: {
      storageSizeGB: 32
      autoGrow: 'Enabled'
    }
    backup: {
      backupRetentionDays: 14
      geoRedundantBackup: 'Disabled'
    }
    // Dagster asks for a token as its identity. There is no password to keep or to rotate.
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenant().tenantId
    }
    network: {
      publicNetworkAccess: 'Disabled'
    }
  }
}

// On this server there is nothing but Dagster's memory, so its identity may as well own it. A server that was just made
// refuses administrators for a while; the private endpoint takes longer than that.
resource administrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2024-08-01' = {
  parent: server
  name: dagsterId
  properties: {
    principalName: dagsterName
    principalType: 'ServicePrincipal'
    tenantId: tenant().tenantId
  }
  dependsOn: [
    endpoint
  ]
}

// Made before there is an administrator, it would belong to Azure's own user, and nobody could make tables in it.
resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01' = {
  parent: server
  name: 'dagster'
  dependsOn: [
    administrator
  ]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: server
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'PostgreSQLLogs'
        enabled: true
      }
    ]
  }
}

module endpoint 'endpoint.bicep' = {
  name: 'postgres-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    serviceId: server.id
    part: 'postgresqlServer'
    subnetId: subnetId
    zoneId: zoneId
  }
}

output server string = server.properties.fullyQualifiedDomainName
